// Every allocation fails once: nothing is torn, and nothing leaks (the sanitizers see to that).

#include <weft/pickle.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/faults.hpp"

namespace {

namespace pickle = weft::pickle;
namespace faults = weft::test::faults;

struct Job {
    int id = 0;
    std::string name;
    std::map<std::string, std::vector<double>> table;
    std::shared_ptr<std::string> shared;
    std::shared_ptr<std::string> again;
};

Job job() {
    Job j{5,
          std::string(100, 'n'),
          {{"long enough for the heap", {1, 2}}, {"k", {}}},
          nullptr,
          nullptr};
    j.shared = std::make_shared<std::string>(40, 's');
    j.again = j.shared;
    return j;
}

TEST(PickleWithoutMemory, ADumpLeavesTheBufferAsItWas) {
    const Job j = job();
    const weft::bytes before(10, std::byte{1});
    weft::bytes buffer = before;
    faults::AllocationOptions options;
    options.invariant = [&] {
        ASSERT_TRUE(buffer == before || buffer.size() > before.size());
        buffer = before;
    };
    EXPECT_GT(faults::for_every_allocation([&] { pickle::dump(j, buffer); }, options), 2U);
}

TEST(PickleWithoutMemory, ALoadThrowsAndNothingElse) {
    const weft::bytes wire = pickle::dumps(job());
    EXPECT_GT(faults::for_every_allocation([&] { pickle::loads<Job>(wire); }), 10U);
    EXPECT_GT(faults::for_every_allocation([&] { pickle::loads(wire); }), 5U);
}

TEST(PickleWithoutMemory, AValueIsMadeWholeOrNot) {
    EXPECT_GT(faults::for_every_allocation([] {
                  const auto value = pickle::Value::dict(
                      {{"a text that is long enough", pickle::Value::list({1, "x"})},
                       {"b", pickle::Value::set({1, 2, 3, 4, 5, 6, 7, 8, 9, 10})}});
                  static_cast<void>(value.repr());
                  static_cast<void>(pickle::dumps(value));
              }),
              10U);
}

}  // namespace

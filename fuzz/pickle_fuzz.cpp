// Any bytes taken for a pickle. What is read can be compared, and written and read again as the
// same; what is read into a C++ type the short way is what the machine and a conversion make of it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <weft/pickle.hpp>

#include "support/check.hpp"

namespace pickle = weft::pickle;

namespace {

struct Leaf {
    std::int16_t id = 0;
    std::string name;
    std::optional<double> size;
};

struct Tree {
    std::string label;
    std::vector<Tree> children;
};

struct Wide {
    bool flag = false;
    std::uint64_t natural = 0;
    std::vector<Leaf> leaves;
    std::map<std::string, std::vector<double>> table;
    std::variant<std::monostate, int, std::string, std::vector<std::string>> either;
    weft::bytes raw;
    std::set<std::pair<int, std::string>> members;
};

struct Named {
    std::string name;
    std::vector<int> numbers;
    std::shared_ptr<std::string> shared;
};
template <class Archive>
void serialize(Archive& archive, Named& n) {
    static_cast<void>(archive.version(3));
    archive(pickle::field("name", n.name), pickle::field("numbers", n.numbers),
            pickle::field("shared", n.shared));
}

/// Comparing ends, one way or the other, and does not depend on the side.
void check_comparison(const pickle::Value& left, const pickle::Value& right) {
    try {
        WEFT_FUZZ_CHECK((left == right) == (right == left));
    } catch (const pickle::PickleError&) {
        // Too deep, or too long for what came.
    }
}

void check_value(pickle::BytesView wire) {
    pickle::Value value;
    try {
        value = pickle::loads(wire);
    } catch (const pickle::UnpicklingError& error) {
        WEFT_FUZZ_CHECK(error.offset() <= wire.size());
        return;
    }
    const std::string text = value.repr(4096);
    for (int protocol = 2; protocol <= 5; ++protocol) {
        weft::bytes again;
        try {
            again = pickle::dumps(value, {.protocol = protocol, .max_depth = 3000});
        } catch (const pickle::PicklingError&) {
            // Names of several lines and keyword arguments in old protocols, odd cycles.
            continue;
        }
        const pickle::Value copy = pickle::loads(again, {.max_depth = 20000});
        WEFT_FUZZ_CHECK(copy.repr(4096) == text);
        if (protocol == 4) check_comparison(value, copy);
        const weft::bytes third = pickle::dumps(copy, {.protocol = protocol, .max_depth = 3000});
        // The first may note what was taken back from the stack; from then on nothing changes.
        WEFT_FUZZ_CHECK(pickle::dumps(pickle::loads(third, {.max_depth = 20000}),
                                      {.protocol = protocol, .max_depth = 3000}) == third);
    }
}

template <class T>
void check_type(pickle::BytesView wire) {
    T typed{};
    bool is_typed = false;
    {
        pickle::detail::WireSource source(wire, {});
        is_typed =
            source.begin() && pickle::detail::CodecOf<T>::load(source, typed) && source.end();
    }
    std::optional<T> converted;
    try {
        converted.emplace(pickle::loads(wire).get<T>());
    } catch (const pickle::UnpicklingError&) {
    } catch (const weft::TypeError&) {
    }
    if (is_typed) {
        WEFT_FUZZ_CHECK(converted.has_value());
        WEFT_FUZZ_CHECK(pickle::dumps(typed) == pickle::dumps(*converted));
    }
    if (converted) {
        const weft::bytes again = pickle::dumps(*converted);
        WEFT_FUZZ_CHECK(pickle::dumps(pickle::loads<T>(again)) == again);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> wire(data, size);
    check_value(wire);
    check_type<Wide>(wire);
    check_type<Tree>(wire);
    check_type<Named>(wire);
    check_type<std::vector<Leaf>>(wire);
    check_type<std::vector<std::tuple<std::vector<std::string>, std::string>>>(wire);
    check_type<std::vector<double>>(wire);
    check_type<std::map<std::string, std::int64_t>>(wire);
    return 0;
}

// contextvars beside what C++ programs use instead: a thread_local variable, and
// boost::thread_specific_ptr; and for contexts that are copied, a shared std::unordered_map. Each
// row does the same: reads, sets, sets and resets, or copies and runs in the copy. Checked: the sum
// of what was read.

#include <boost/thread/tss.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weft/contextvars.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

using weft::contextvars::ContextVar;

/// So that contexts are as full as a row says.
std::vector<std::unique_ptr<ContextVar<int>>>& others() {
    static std::vector<std::unique_ptr<ContextVar<int>>> variables = [] {
        std::vector<std::unique_ptr<ContextVar<int>>> made;
        for (int i = 0; i < 1000; ++i) {
            made.push_back(std::make_unique<ContextVar<int>>(std::to_string(i), 0));
        }
        return made;
    }();
    return variables;
}

/// The library's own: one variable of interest among `live` that are set.
class Weft {
public:
    static constexpr const char* kName = "weft";
    explicit Weft(int live) {
        context_.run([&] {
            for (int i = 1; i < live; ++i) others()[static_cast<std::size_t>(i)]->set(i);
            number_.set(1);
        });
    }
    void in(const auto& body) { context_.run(body); }
    int get() const { return number_.get(); }
    void set(int value) { number_.set(value); }
    void set_and_reset(int value) { const auto scoped = number_.scoped(value); }
    int copy_and_run() {
        auto copy = weft::contextvars::copy_context();
        return copy.run([this] { return number_.get(); });
    }

private:
    ContextVar<int> number_{"number", 0};
    weft::contextvars::Context context_;
};

thread_local int plain_number = 1;

class ThreadLocal {
public:
    static constexpr const char* kName = "thread_local";
    explicit ThreadLocal(int /*live*/) { plain_number = 1; }
    void in(const auto& body) { body(); }
    int get() const { return plain_number; }
    void set(int value) { plain_number = value; }
    void set_and_reset(int value) {
        const int before = std::exchange(plain_number, value);
        benchmark::DoNotOptimize(plain_number);
        plain_number = before;
    }
};

class BoostTss {
public:
    static constexpr const char* kName = "boost::thread_specific_ptr";
    explicit BoostTss(int /*live*/) { pointer_.reset(new int(1)); }
    void in(const auto& body) { body(); }
    int get() const { return *pointer_; }
    void set(int value) { *pointer_ = value; }
    void set_and_reset(int value) {
        const int before = std::exchange(*pointer_, value);
        benchmark::DoNotOptimize(*pointer_);
        *pointer_ = before;
    }

private:
    mutable boost::thread_specific_ptr<int> pointer_;
};

/// A context as one writes it by hand: a map that copies share, copied when one is changed.
class SharedMap {
public:
    static constexpr const char* kName = "shared unordered_map";
    explicit SharedMap(int live) {
        auto map = std::make_shared<Map>();
        for (int i = 1; i < live; ++i) (*map)[&others()[static_cast<std::size_t>(i)]] = i;
        (*map)[this] = 1;
        current() = std::move(map);
    }
    void in(const auto& body) { body(); }
    int get() const { return current()->find(this)->second; }
    void set(int value) {
        auto& map = current();
        if (map.use_count() != 1) map = std::make_shared<Map>(*map);
        (*map)[this] = value;
    }
    void set_and_reset(int value) {
        const int before = get();
        set(value);
        set(before);
    }
    int copy_and_run() {
        auto before = std::exchange(current(), std::shared_ptr<Map>(current()));
        const int value = get();
        current() = std::move(before);
        return value;
    }

private:
    using Map = std::unordered_map<const void*, int>;
    static std::shared_ptr<Map>& current() {
        thread_local std::shared_ptr<Map> map;
        return map;
    }
};

template <class Variable>
void get(benchmark::State& state, int live) {
    Variable variable(live);
    variable.in([&] {
        std::int64_t sum = 0;
        std::int64_t reads = 0;
        for (auto _ : state) {
            int value = variable.get();
            benchmark::DoNotOptimize(value);
            sum += value;
            ++reads;
            benchmark::ClobberMemory();
        }
        if (sum != reads) state.SkipWithError("wrong value");
    });
}

template <class Variable>
void set(benchmark::State& state, int live) {
    Variable variable(live);
    variable.in([&] {
        int value = 0;
        for (auto _ : state) {
            variable.set(++value);
            benchmark::ClobberMemory();
        }
        if (variable.get() != value) state.SkipWithError("wrong value");
    });
}

template <class Variable>
void set_and_reset(benchmark::State& state, int live) {
    Variable variable(live);
    variable.in([&] {
        int value = 1;
        for (auto _ : state) {
            variable.set_and_reset(++value);
            benchmark::ClobberMemory();
        }
        if (variable.get() != 1) state.SkipWithError("wrong value");
    });
}

template <class Variable>
void copy_and_run(benchmark::State& state, int live) {
    Variable variable(live);
    variable.in([&] {
        std::int64_t sum = 0;
        std::int64_t runs = 0;
        for (auto _ : state) {
            sum += variable.copy_and_run();
            ++runs;
        }
        if (sum != runs) state.SkipWithError("wrong value");
    });
}

template <class Variable>
void add() {
    for (const int live : {1, 10, 1000}) {
        const auto row = [&](const std::string& what, void (*body)(benchmark::State&, int)) {
            benchmark::RegisterBenchmark(
                bench::name("BM_ContextVar_" + what + "_of_" + std::to_string(live),
                            Variable::kName)
                    .c_str(),
                [=](benchmark::State& state) { body(state, live); });
        };
        row("get", get<Variable>);
        row("set", set<Variable>);
        row("set_and_reset", set_and_reset<Variable>);
        if constexpr (requires(Variable& v) { v.copy_and_run(); }) {
            row("copy_and_run", copy_and_run<Variable>);
        }
    }
}

void add_python(const std::string& what, int live, const std::string& step) {
    const std::string count = std::to_string(live);
    bench::add_cpython("BM_ContextVar_" + what + "_of_" + count,
                       "from contextvars import Context, ContextVar, copy_context\n"
                       "number = ContextVar(\"number\", default=0)\n"
                       "others = [ContextVar(str(i), default=0) for i in range(1, " +
                           count +
                           ")]\n"
                           "def body(n):\n"
                           "    for other in others: other.set(1)\n"
                           "    number.set(1)\n"
                           "    for i in range(n): " +
                           step +
                           "\n"
                           "def run(n): Context().run(body, n)\n",
                       200'000);
}

}  // namespace

int main(int argc, char** argv) {
    add<Weft>();
    add<ThreadLocal>();
    add<BoostTss>();
    add<SharedMap>();
    for (const int live : {1, 10, 1000}) {
        add_python("get", live, "number.get()");
        add_python("set", live, "number.set(i)");
        add_python("set_and_reset", live, "number.reset(number.set(i))");
        add_python("copy_and_run", live, "copy_context().run(number.get)");
    }
    return bench::run_pairs(argc, argv);
}

// pickle beside other ways to turn values into bytes: a small struct, a hundred thousand doubles, a
// dict of a hundred thousand strings. Bytes are written into a buffer that is used again, except
// that the doubles get a new one each time; memcpy is what one allocation and one copy cost.
// CPython runs in a child of this program. Checked: what is read is what was written.

#include <unistd.h>

#include <benchmark/benchmark.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <istream>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/unordered_map.hpp>
#include <boost/serialization/vector.hpp>

#if WEFT_BENCH_HAS_CEREAL
#    include <cereal/archives/binary.hpp>
#    include <cereal/types/string.hpp>
#    include <cereal/types/unordered_map.hpp>
#    include <cereal/types/vector.hpp>
#endif
#if WEFT_BENCH_HAS_MSGPACK
#    include <msgpack.hpp>
#endif

#include <weft/pickle.hpp>

#include "support/pairs.hpp"

namespace {

struct Small {
    int number = 42;
    double real = 2.5;
    std::string text = "hello world";
    std::vector<int> values{1, 2, 3, 4};
    bool operator==(const Small&) const = default;

    // For cereal; Boost's is behind.
    template <class Archive>
    void serialize(Archive& archive) {
        archive(number, real, text, values);
    }
#if WEFT_BENCH_HAS_MSGPACK
    MSGPACK_DEFINE(number, real, text, values)
#endif
};

}  // namespace

namespace boost::serialization {

template <class Archive>
void serialize(Archive& archive, Small& small, unsigned /*version*/) {
    archive & small.number & small.real & small.text & small.values;
}

}  // namespace boost::serialization

namespace {

using Doubles = std::vector<double>;
using Strings = std::unordered_map<std::string, std::string>;

template <class T>
T sample();
template <>
Small sample() {
    return {};
}
template <>
Doubles sample() {
    Doubles doubles(100'000);
    for (std::size_t i = 0; i < doubles.size(); ++i) doubles[i] = static_cast<double>(i);
    return doubles;
}
template <>
Strings sample() {
    Strings strings;
    for (int i = 0; i < 100'000; ++i) {
        strings.emplace("key number " + std::to_string(i), "value number " + std::to_string(i));
    }
    return strings;
}

/// A stream buffer over bytes that are there, and one over a string that is used again.
class Input : public std::streambuf {
public:
    explicit Input(std::string& bytes) {
        setg(bytes.data(), bytes.data(), bytes.data() + bytes.size());
    }
};
class Output : public std::streambuf {
public:
    explicit Output(std::string& bytes) : bytes_(bytes) {}

protected:
    int_type overflow(int_type letter) override {
        bytes_.push_back(static_cast<char>(letter));
        return letter;
    }
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        bytes_.append(text, static_cast<std::size_t>(size));
        return size;
    }

private:
    std::string& bytes_;
};

struct Weft {
    static constexpr const char* kName = "weft";
    using Buffer = weft::bytes;
    template <class T>
    static void dump(const T& value, Buffer& buffer) {
        buffer.clear();
        weft::pickle::dump(value, buffer);
    }
    template <class T>
    static void load(Buffer& buffer, T& value) {
        weft::pickle::load_into(buffer, value);
    }
};

struct Boost {
    static constexpr const char* kName = "boost::serialization";
    using Buffer = std::string;
    template <class T>
    static void dump(const T& value, Buffer& buffer) {
        buffer.clear();
        Output output(buffer);
        boost::archive::binary_oarchive archive(output, boost::archive::no_header);
        archive << value;
    }
    template <class T>
    static void load(Buffer& buffer, T& value) {
        Input input(buffer);
        boost::archive::binary_iarchive archive(input, boost::archive::no_header);
        archive >> value;
    }
};

#if WEFT_BENCH_HAS_CEREAL
struct Cereal {
    static constexpr const char* kName = "cereal";
    using Buffer = std::string;
    template <class T>
    static void dump(const T& value, Buffer& buffer) {
        buffer.clear();
        Output output(buffer);
        std::ostream stream(&output);
        cereal::BinaryOutputArchive archive(stream);
        archive(value);
    }
    template <class T>
    static void load(Buffer& buffer, T& value) {
        Input input(buffer);
        std::istream stream(&input);
        cereal::BinaryInputArchive archive(stream);
        archive(value);
    }
};
#endif

#if WEFT_BENCH_HAS_MSGPACK
struct Msgpack {
    static constexpr const char* kName = "msgpack";
    using Buffer = msgpack::sbuffer;
    template <class T>
    static void dump(const T& value, Buffer& buffer) {
        buffer.clear();
        msgpack::pack(buffer, value);
    }
    template <class T>
    static void load(Buffer& buffer, T& value) {
        msgpack::unpack(buffer.data(), buffer.size()).get().convert(value);
    }
};
#endif

void check(bool is_right) {
    if (is_right) return;
    std::fputs("what was read is not what was written\n", stderr);
    std::abort();
}

template <class Contender, class T, bool IsFresh>
void dump(benchmark::State& state) {
    const T value = sample<T>();
    typename Contender::Buffer buffer;
    for (auto _ : state) {
        if constexpr (IsFresh) {
            typename Contender::Buffer fresh;
            Contender::dump(value, fresh);
            benchmark::DoNotOptimize(fresh.data());
        } else {
            Contender::dump(value, buffer);
            benchmark::DoNotOptimize(buffer.data());
        }
    }
    Contender::dump(value, buffer);
    T read{};
    Contender::load(buffer, read);
    check(read == value);
}

template <class Contender, class T, bool IsFresh>
void load(benchmark::State& state) {
    const T value = sample<T>();
    typename Contender::Buffer buffer;
    Contender::dump(value, buffer);
    T again{};
    for (auto _ : state) {
        if constexpr (IsFresh) {
            T fresh{};
            Contender::load(buffer, fresh);
            benchmark::DoNotOptimize(&fresh);
        } else {
            Contender::load(buffer, again);
            benchmark::DoNotOptimize(&again);
        }
    }
}

template <class Contender, class T, bool IsFresh>
void add_to(const std::string& row) {
    benchmark::RegisterBenchmark(bench::name(row + "_dump", Contender::kName).c_str(),
                                 dump<Contender, T, IsFresh>)
        ->UseRealTime();
    benchmark::RegisterBenchmark(bench::name(row + "_load", Contender::kName).c_str(),
                                 load<Contender, T, IsFresh>)
        ->UseRealTime();
}

/// One allocation and one copy.
void copy(benchmark::State& state) {
    const Doubles value = sample<Doubles>();
    for (auto _ : state) {
        Doubles copied(value);
        benchmark::DoNotOptimize(copied.data());
    }
}

/// A python3 that makes so many calls as it is told, and says when it has.
class Python {
public:
    Python() {
        int to_child[2];
        int to_parent[2];
        if (pipe(to_child) != 0 || pipe(to_parent) != 0) std::abort();
        const pid_t child = fork();
        if (child == 0) {
            dup2(to_child[0], 0);
            dup2(to_parent[1], 1);
            close(to_child[1]);
            execlp("python3", "python3", WEFT_BENCH_CPYTHON, nullptr);
            _exit(127);
        }
        close(to_child[0]);
        close(to_parent[1]);
        out_ = fdopen(to_child[1], "w");
        in_ = fdopen(to_parent[0], "r");
        std::signal(SIGPIPE, SIG_IGN);
    }

    bool run(const std::string& row, std::int64_t count) {
        if (std::fprintf(out_, "%s %lld\n", row.c_str(), static_cast<long long>(count)) < 0)
            return false;
        return std::fflush(out_) == 0 && std::fgetc(in_) == '\n';
    }

private:
    std::FILE* out_ = nullptr;
    std::FILE* in_ = nullptr;
};

void cpython(benchmark::State& state, const std::string& row) {
    static Python python;
    if (!python.run(row, 1)) {
        state.SkipWithError("no python3");
        return;
    }
    const auto count = static_cast<std::int64_t>(state.max_iterations);
    while (state.KeepRunningBatch(count)) {
        if (!python.run(row, count)) state.SkipWithError("python3 has ended");
    }
}

template <class T, bool IsFresh>
void add_row(const std::string& row) {
    add_to<Weft, T, IsFresh>(row);
    add_to<Boost, T, IsFresh>(row);
#if WEFT_BENCH_HAS_CEREAL
    add_to<Cereal, T, IsFresh>(row);
#endif
#if WEFT_BENCH_HAS_MSGPACK
    add_to<Msgpack, T, IsFresh>(row);
#endif
    for (const char* direction : {"_dump", "_load"}) {
        benchmark::RegisterBenchmark(bench::name(row + direction, "CPython").c_str(), cpython,
                                     row + direction)
            ->UseRealTime();
    }
}

}  // namespace

int main(int argc, char** argv) {
    add_row<Small, false>("small_struct");
    add_row<Doubles, true>("doubles");
    add_row<Strings, false>("strings");
    for (const char* row : {"doubles_dump", "doubles_load"}) {
        benchmark::RegisterBenchmark(bench::name(row, "memcpy").c_str(), copy)->UseRealTime();
    }
    return bench::run_pairs(argc, argv);
}

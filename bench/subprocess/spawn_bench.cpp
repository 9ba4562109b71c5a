// Starting children and reading what they write, beside posix_spawn, the bare vfork and exec,
// popen, Boost.Process and CPython.
//
//     WEFT_BENCH_RESIDENT_MIB=2048 spawn_bench --benchmark_filter=Spawn   a large parent

#define BOOST_PROCESS_USE_STD_FS

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <weft/subprocess.hpp>

#include "support/pairs.hpp"

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;
namespace subprocess = weft::subprocess;

constexpr const char* kTrue = "/bin/true";
constexpr std::size_t kCaptured = std::size_t{64} * 1024 * 1024;
constexpr int kMany = 200;

/// Times `body` by hand: CPython's time is measured by itself.
template <class Body>
void time(benchmark::State& state, Body body) {
    for (auto _ : state) {
        const auto start = Clock::now();
        body();
        state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
    }
}

/// A Python interpreter that does one thing on request and tells how long it took.
class Python {
public:
    explicit Python(const char* statement)
        : child_({"/usr/bin/python3", "-c", kScript, statement},
                 {.stdin_ = subprocess::PIPE, .stdout_ = subprocess::PIPE, .bufsize = 0}) {
        (void)ask();
    }
    double ask() {
        child_.stdin_().write("\n");
        return std::strtod(child_.stdout_().readline().c_str(), nullptr);
    }

private:
    static constexpr const char* kScript =
        "import subprocess, sys, time\n"
        "code = compile(sys.argv[1], 'statement', 'exec')\n"
        "for line in sys.stdin:\n"
        "    t = time.perf_counter(); exec(code); print(time.perf_counter() - t, flush=True)\n";
    subprocess::Popen child_;
};

void time_python(benchmark::State& state, const char* statement) {
    Python python(statement);
    for (auto _ : state) state.SetIterationTime(python.ask());
}

void wait_for(pid_t process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0) {
    }
}

// Spawn: /bin/true, waited for
// ---------------------------------------------------------------------

void spawn_weft(benchmark::State& state) {
    time(state, [] { subprocess::call({kTrue}); });
}

void spawn_weft_popen(benchmark::State& state) {
    time(state, [] { subprocess::Popen({kTrue}).wait(); });
}

void spawn_vfork(benchmark::State& state) {
    time(state, [] {
        char name[] = "/bin/true";
        char* const arguments[] = {name, nullptr};
        const pid_t process = vfork();
        if (process == 0) {
            execve(kTrue, arguments, environ);
            _exit(127);
        }
        wait_for(process);
    });
}

void spawn_posix_spawn(benchmark::State& state) {
    time(state, [] {
        char name[] = "/bin/true";
        char* const arguments[] = {name, nullptr};
        pid_t process = 0;
        if (posix_spawn(&process, kTrue, nullptr, nullptr, arguments, environ) == 0) {
            wait_for(process);
        }
    });
}

void spawn_popen(benchmark::State& state) {
    time(state, [] { pclose(popen(kTrue, "r")); });
}

void spawn_boost(benchmark::State& state) {
    time(state, [] { boost::process::child(std::filesystem::path(kTrue)).wait(); });
}

void spawn_python(benchmark::State& state) {
    time_python(state, "subprocess.run(['/bin/true'])");
}

// Capture: 64 MiB
// ----------------------------------------------------------------------------------

const std::string& captured_file() {
    static const std::string path = [] {
        std::string name = (std::filesystem::temp_directory_path() / "weft-bench-capture").string();
        std::FILE* file = std::fopen(name.c_str(), "w");
        const std::string block(1024 * 1024, 'x');
        for (std::size_t i = 0; i < kCaptured / block.size(); ++i) {
            std::fwrite(block.data(), 1, block.size(), file);
        }
        std::fclose(file);
        return name;
    }();
    return path;
}

void capture_weft(benchmark::State& state) {
    time(state,
         [] { benchmark::DoNotOptimize(subprocess::check_output({"/bin/cat", captured_file()})); });
}

void capture_popen(benchmark::State& state) {
    const std::string command = "cat " + captured_file();
    time(state, [&] {
        std::FILE* pipe = popen(command.c_str(), "r");
        std::string text;
        std::array<char, 65536> block;
        for (std::size_t n = 0; (n = std::fread(block.data(), 1, block.size(), pipe)) > 0;) {
            text.append(block.data(), n);
        }
        pclose(pipe);
        benchmark::DoNotOptimize(text);
    });
}

void capture_boost(benchmark::State& state) {
    time(state, [] {
        boost::process::ipstream out;
        boost::process::child child(std::filesystem::path("/bin/cat"), captured_file(),
                                    boost::process::std_out > out);
        std::string text(std::istreambuf_iterator<char>(out), {});
        child.wait();
        benchmark::DoNotOptimize(text);
    });
}

void capture_python(benchmark::State& state) {
    const std::string statement =
        "subprocess.run(['/bin/cat', '" + captured_file() + "'], stdout=subprocess.PIPE)";
    time_python(state, statement.c_str());
}

// Many: 200 children at once, their output captured
// ------------------------------------------------

void many_weft(benchmark::State& state) {
    time(state, [] {
        std::vector<subprocess::Popen> children;
        children.reserve(kMany);
        for (int i = 0; i < kMany; ++i) {
            children.emplace_back(subprocess::Args{"/bin/echo", "hello"},
                                  subprocess::PopenOptions{.stdout_ = subprocess::PIPE});
        }
        for (subprocess::Popen& each : children) {
            benchmark::DoNotOptimize(each.communicate());
        }
    });
}

void many_popen(benchmark::State& state) {
    time(state, [] {
        std::vector<std::FILE*> children(kMany);
        for (std::FILE*& each : children) each = popen("exec /bin/echo hello", "r");
        std::array<char, 64> text;
        for (std::FILE* each : children) {
            benchmark::DoNotOptimize(std::fread(text.data(), 1, text.size(), each));
            pclose(each);
        }
    });
}

void many_boost(benchmark::State& state) {
    namespace bp = boost::process;
    time(state, [] {
        struct One {
            bp::ipstream out;
            bp::child child{std::filesystem::path("/bin/echo"), "hello", bp::std_out > out};
        };
        std::vector<std::unique_ptr<One>> children;
        for (int i = 0; i < kMany; ++i) children.push_back(std::make_unique<One>());
        for (const auto& each : children) {
            std::string line;
            std::getline(each->out, line);
            each->child.wait();
            benchmark::DoNotOptimize(line);
        }
    });
}

void many_python(benchmark::State& state) {
    time_python(state,
                "c = [subprocess.Popen(['/bin/echo', 'hello'], stdout=subprocess.PIPE)"
                " for _ in range(200)]\n"
                "for p in c: p.communicate()");
}

void add(const char* row, const char* contender, void (*body)(benchmark::State&)) {
    benchmark::RegisterBenchmark(bench::name(row, contender).c_str(), body)->UseManualTime();
}

}  // namespace

int main(int argc, char** argv) {
    const char* resident = std::getenv("WEFT_BENCH_RESIDENT_MIB");
    const std::size_t size =
        resident != nullptr ? std::strtoull(resident, nullptr, 10) * 1024 * 1024 : 0;
    const auto memory = std::make_unique_for_overwrite<char[]>(size + 1);
    std::memset(memory.get(), 1, size + 1);

    add("Spawn", "weft", spawn_weft);
    add("Spawn", "weft Popen", spawn_weft_popen);
    add("Spawn", "vfork+execve", spawn_vfork);
    add("Spawn", "posix_spawn", spawn_posix_spawn);
    add("Spawn", "popen", spawn_popen);
    add("Spawn", "boost::process::child", spawn_boost);
    add("Spawn", "CPython 3.11", spawn_python);
    add("Capture_64MiB", "weft", capture_weft);
    add("Capture_64MiB", "popen", capture_popen);
    add("Capture_64MiB", "boost ipstream", capture_boost);
    add("Capture_64MiB", "CPython 3.11", capture_python);
    add("Many_200", "weft", many_weft);
    add("Many_200", "popen", many_popen);
    add("Many_200", "boost ipstream", many_boost);
    add("Many_200", "CPython 3.11", many_python);
    const int result = bench::run_pairs(argc, argv);
    std::remove((std::filesystem::temp_directory_path() / "weft-bench-capture").c_str());
    return result;
}

// Uses thread-local values in the way that its argument names: at the end of the program, and over
// fork. What it writes shows which were made, and which destroyed.

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <semaphore>
#include <string>
#include <thread>

#include <weft/threading/functions.hpp>
#include <weft/threading/local.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/thread.hpp>

#include "children/ways.hpp"

namespace {

using namespace weft;
using ways::say;

/// Says where it was made and that it was destroyed.
struct Loud {
    explicit Loud(const std::string& given = "")
        : name(given + threading::current_thread().name()) {
        say("made for " + name);
    }
    ~Loud() { say("destroyed for " + name); }
    std::string name;
    int uses = 0;
};

/// Constructed before the locals below, and so destroyed after them.
struct Last {
    ~Last();
    bool is_wanted = false;
} last;

threading::local<Loud> simple;
threading::local<Loud> with_argument("argument, ");
threading::local<Loud>& immortal = *new threading::local<Loud>;

Last::~Last() {
    if (!is_wanted) return;
    say("late: " + std::to_string(++simple->uses));
    say("late: " + std::to_string(++with_argument->uses));
    say("late: " + std::to_string(++immortal->uses));
}

threading::Lock& make_closed() {
    auto* const lock = new threading::Lock;
    lock->acquire();
    return *lock;
}
threading::Lock& never = make_closed();

int static_destructors() {
    last.is_wanted = true;
    simple->uses = 10;
    with_argument->uses = 20;
    immortal->uses = 30;
    return 0;
}

int in_atexit() {
    simple->uses = 10;
    std::atexit([] { say("at exit: " + std::to_string(simple->uses)); });
    return 0;
}

int daemon_running() {
    std::binary_semaphore touched(0);
    threading::Thread({.name = "daemon", .daemon = true}, [&touched] {
        simple->uses = 1;
        touched.release();
        never.acquire();
    }).start();
    touched.acquire();
    simple->uses = 2;
    return 0;
}

int exit_on_another_thread() {
    simple->uses = 1;
    threading::Thread ending({.name = "ending"}, [] {
        simple->uses = 2;
        std::exit(3);
    });
    ending.start();
    never.acquire();
    return 1;
}

/// No thread of Weft's tells that the program may end on any thread.
int exit_on_a_foreign_thread() {
    static threading::local<Loud> built_late;
    built_late->uses = 1;
    std::thread([] { std::exit(4); }).detach();
    never.acquire();
    return 1;
}

int pthread_exit_of_main() {
    simple->uses = 1;
    threading::Thread({.name = "worker"}, [] {
        threading::main_thread().join();
        simple->uses = 2;
    }).start();
    pthread_exit(nullptr);
}

/// A child has the value of the thread that forked. Nobody destroys those of others.
int over_fork() {
    std::binary_semaphore touched(0);
    std::binary_semaphore may_end(0);
    threading::Thread other({.name = "other"}, [&] {
        simple->uses = 1;
        touched.release();
        may_end.acquire();
    });
    other.start();
    touched.acquire();
    threading::Thread forking({.name = "forking"}, [] {
        simple->uses = 5;
        const pid_t child = fork();
        if (child == 0) {
            say("in the child: " + std::to_string(simple->uses));
            threading::Thread fresh({.name = "fresh"}, [] { simple->uses = 7; });
            fresh.start();
            fresh.join();
            {
                const threading::local<Loud> own("own, ");
                own->uses = 1;
            }
            std::exit(simple->uses);
        }
        int status = 0;
        waitpid(child, &status, 0);
        say("child ended with " + std::to_string(WEXITSTATUS(status)));
    });
    forking.start();
    forking.join();
    may_end.release();
    other.join();
    return 0;
}

std::binary_semaphore has_touched(0);
std::binary_semaphore never_given(0);

void* touch_and_wait(void*) {
    simple->uses = 1;
    has_touched.release();
    never_given.acquire();
    return nullptr;
}

/// Starts a thread that has a value. The system's own call, which leaves nothing with the new
/// thread that a leak checker would miss when fork loses it.
void start_another() {
    pthread_t thread{};
    if (pthread_create(&thread, nullptr, touch_and_wait, nullptr) != 0) std::abort();
    pthread_detach(thread);
    has_touched.acquire();
}

/// The forking thread is neither the first nor the last that has a value; and so again in the
/// child.
int over_two_forks() {
    start_another();
    simple->uses = 3;
    start_another();
    const pid_t child = fork();
    if (child == 0) {
        start_another();
        const pid_t grandchild = fork();
        if (grandchild == 0) std::exit(simple->uses);
        int status = 0;
        waitpid(grandchild, &status, 0);
        std::exit(WEXITSTATUS(status) + 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) + 1;
}

/// A local that dies in the child destroys no values of the parent's other threads.
int death_after_fork() {
    auto* const local = new threading::local<Loud>;
    std::binary_semaphore touched(0);
    std::binary_semaphore may_end(0);
    threading::Thread other({.name = "other"}, [&] {
        (*local)->uses = 1;
        touched.release();
        may_end.acquire();
    });
    other.start();
    touched.acquire();
    (*local)->uses = 2;
    const pid_t child = fork();
    if (child == 0) {
        delete local;
        say("child done");
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    may_end.release();
    other.join();
    delete local;
    return status;
}

const char* plugin_path = nullptr;

/// Closes a plugin whose local has values in a thread that goes on.
int closing_a_plugin() {
    void* const plugin = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) return 1;
    auto* const touch = reinterpret_cast<void (*)()>(dlsym(plugin, "plugin_touch"));
    std::binary_semaphore touched(0);
    std::binary_semaphore may_end(0);
    std::thread other([&] {
        touch();
        touched.release();
        may_end.acquire();
        say("thread ends");
    });
    touched.acquire();
    touch();
    dlclose(plugin);
    say(dlopen(plugin_path, RTLD_NOW | RTLD_NOLOAD) == nullptr ? "unloaded" : "still loaded");
    may_end.release();
    other.join();
    return 0;
}

/// The program's end closes a plugin whose local has a value in a thread that ends after that.
int closing_a_plugin_at_the_end() {
    static void* plugin = nullptr;
    plugin = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) return 1;
    static auto* const touch = reinterpret_cast<void (*)()>(dlsym(plugin, "plugin_touch"));
    static std::binary_semaphore touched(0);
    static std::binary_semaphore may_end(0);
    static std::thread other;
    std::atexit([] {
        dlclose(plugin);
        say(dlopen(plugin_path, RTLD_NOW | RTLD_NOLOAD) == nullptr ? "unloaded" : "still loaded");
        may_end.release();
        other.join();
        say("joined");
    });
    // From here on Weft's end of the program comes before the function above.
    simple->uses = 1;
    other = std::thread([] {
        touch();
        touched.release();
        may_end.acquire();
    });
    touched.acquire();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    plugin_path = argc > 2 ? argv[2] : "";
    return ways::take(
        {
            {"static_destructors", static_destructors},
            {"atexit", in_atexit},
            {"daemon_running", daemon_running},
            {"exit_on_another_thread", exit_on_another_thread},
            {"exit_on_a_foreign_thread", exit_on_a_foreign_thread},
            {"pthread_exit", pthread_exit_of_main},
            {"fork", over_fork},
            {"two_forks", over_two_forks},
            {"death_after_fork", death_after_fork},
            {"plugin", closing_a_plugin},
            {"plugin_at_the_end", closing_a_plugin_at_the_end},
        },
        argc, argv);
}

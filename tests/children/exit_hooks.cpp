// Ends in the way that its argument names, with a worker that ends only when it is told to.

#include <pthread.h>

#include <weft/threading/lock.hpp>
#include <weft/threading/thread.hpp>

#include "children/ways.hpp"
#include "runtime/exit.hpp"

namespace {

using namespace weft;
using ways::say;

struct Statics {
    ~Statics() { say("statics"); }
};
Statics statics;

threading::Lock& gate = *new threading::Lock;

void tell_worker() noexcept {
    say("drain");
    gate.release();
}

void say_join() noexcept {
    say("join");
}

runtime::ExitHook drain{&tell_worker};
runtime::ExitHook join{&say_join};

void start_worker() {
    gate.acquire();
    runtime::at_exit_join(join);
    runtime::at_exit_drain(drain);
    threading::Thread([] {
        gate.acquire();
        ways::dawdle();
        say("worker done");
    }).start();
}

int by_return() {
    start_worker();
    return 3;
}

int by_pthread_exit() {
    start_worker();
    pthread_exit(nullptr);
}

}  // namespace

int main(int argc, char** argv) {
    return ways::take({{"return", by_return}, {"pthread_exit", by_pthread_exit}}, argc, argv);
}

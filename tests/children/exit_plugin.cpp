// A plugin that uses Weft. Its host does not.

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <weft/threading/functions.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/thread.hpp>

#include "children/ways.hpp"

namespace {

using namespace weft;

threading::Lock& gate = *new threading::Lock;

}  // namespace

extern "C" {

/// Uses Weft on the calling thread and on a thread of its own, and leaves nothing running.
__attribute__((visibility("default"))) void plugin_use() {
    const std::string here = threading::current_thread().name();
    threading::Thread worker([] { ways::say("worker done"); });
    worker.start();
    worker.join();
    ways::say(here + " of " + std::to_string(threading::active_count()));
}

/// Starts a thread that ends after plugin_release() was called.
__attribute__((visibility("default"))) void plugin_start() {
    gate.acquire();
    threading::Thread({.daemon = false}, [] {
        gate.acquire();
        ways::dawdle();
        ways::say("worker done");
    }).start();
}

/// Joins the main thread, for the shortest time.
__attribute__((visibility("default"))) void plugin_join_main() {
    try {
        threading::main_thread().join(0);
        ways::say("may join");
    } catch (const std::runtime_error&) {
        ways::say("refused");
    }
}

__attribute__((visibility("default"))) void plugin_release() {
    gate.release();
}
}

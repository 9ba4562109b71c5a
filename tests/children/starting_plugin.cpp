// A plugin that starts a thread, and joins it, before dlopen() has returned.

#include <weft/threading/thread.hpp>

#include "children/ways.hpp"

namespace {

struct Starter {
    Starter() {
        weft::threading::Thread worker([] { ways::say("worker done"); });
        worker.start();
        worker.join();
    }
};
Starter starter;

}  // namespace

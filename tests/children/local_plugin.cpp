// A plugin with a thread-local value.

#include <weft/threading/local.hpp>

#include "children/ways.hpp"

namespace {

struct Loud {
    Loud() { ways::say("made"); }
    ~Loud() { ways::say("destroyed"); }
    int uses = 0;
};

weft::threading::local<Loud> value;

}  // namespace

extern "C" __attribute__((visibility("default"))) void plugin_touch() {
    ++value->uses;
}

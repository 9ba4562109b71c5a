// A plugin with functions that other processes are to call.

#include <cstdio>

#include <weft/detail/callable.hpp>

namespace {

#if defined(WEFT_TEST_OTHER_BUILD)
// What must not run where another build is asked for.
struct Loud {
    Loud() { std::fputs("the other build runs", stderr); }
};
const Loud loud;
#endif

}  // namespace

extern "C" __attribute__((visibility("default"))) int plugin_triple(int n) {
    return 3 * n;
}

extern "C" __attribute__((visibility("default"))) void plugin_pack(weft::bytes& packed) {
    packed = weft::detail::pack_call([](int n) { return n + 1; }, 41);
}

// A plugin that is compiled to be traced.

extern "C" [[gnu::visibility("default")]] int plugged_in(int n);

int plugged_in(int n) {
    return n + 1;
}

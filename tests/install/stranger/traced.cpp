// A user's program that is compiled to be traced.

#include <weft/trace.hpp>

#include <cstdio>

namespace {

int count = 0;

int work(int n) {
    return n + 1;
}

}  // namespace

int main() {
    weft::trace::settrace([](const weft::trace::Frame& frame, weft::trace::TraceEvent) {
        count += frame.name().find("work") != frame.name().npos;
    });
    const int result = work(1);
    weft::trace::settrace({});
    std::printf("stranger saw %d events\n", count);
    return result == 2 && count == 2 ? 0 : 1;
}

// Makes a program of a C library that lets one thread at a time into exit() and never lets a second
// one out (glibc from 2.41 on), with whatever C library it runs. The lock is a stream's, which is
// made and waited for as that of exit() is.

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void exit_exclusively(int status) {
    ::flockfile(stdin);
    auto* const next = reinterpret_cast<void (*)(int)>(::dlsym(RTLD_NEXT, "exit"));
    next(status);
    std::abort();
}

}  // namespace

// In place of the C library's, for the program and for all libraries.
extern "C" {

__attribute__((visibility("default"))) const char* gnu_get_libc_version() noexcept {
    return "2.41";
}

__attribute__((visibility("default"), noreturn)) void exit(int status) noexcept {
    exit_exclusively(status);
}

// The C library's own call of exit() cannot be replaced, but the main that it calls can.
int __real_main(int argc, char** argv);
int __wrap_main(int argc, char** argv) {
    exit(__real_main(argc, argv));
}
}

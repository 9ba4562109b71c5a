// Loads the plugin named by the second argument, and ends in the way named by the first.

#include <dlfcn.h>

#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

#include "children/ways.hpp"

namespace {

using ways::say;

struct Statics {
    ~Statics() { say("statics"); }
};
Statics statics;

const char* plugin_path = nullptr;

class Plugin {
public:
    Plugin() : handle_(dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr) throw std::runtime_error(dlerror());
    }
    void close() { dlclose(handle_); }
    void call(const char* name) {
        auto* const function = reinterpret_cast<void (*)()>(dlsym(handle_, name));
        if (function == nullptr) throw std::runtime_error(dlerror());
        function();
    }

private:
    void* handle_;
};

/// Calls plugin_release() as the first thing that the main thread does when it ends.
struct Releaser {
    Plugin* plugin = nullptr;
    ~Releaser() {
        say("main ends");
        plugin->call("plugin_release");
    }
};

int closed() {
    Plugin plugin;
    plugin.call("plugin_use");
    plugin.close();
    return 0;
}

int opened() {
    Plugin plugin;
    return 0;
}

int opened_by_another_thread() {
    std::thread([] { Plugin plugin; }).join();
    return 0;
}

int joined_by_main_itself() {
    static Plugin* plugin = nullptr;
    std::thread([] { plugin = new Plugin; }).join();
    plugin->call("plugin_join_main");
    return 0;
}

int closed_by_another_thread_that_goes_on() {
    std::thread([] {
        Plugin plugin;
        plugin.call("plugin_use");
        plugin.close();
        // Now the thread ends, which Weft had asked to be told of.
    }).join();
    return 0;
}

int closed_while_a_user_of_it_lives() {
    Plugin plugin;
    std::binary_semaphore has_used(0);
    std::binary_semaphore may_end(0);
    std::thread user([&] {
        plugin.call("plugin_use");
        has_used.release();
        may_end.acquire();
    });
    has_used.acquire();
    plugin.close();
    may_end.release();
    user.join();
    return 0;
}

int first_used_elsewhere() {
    static Plugin* plugin = nullptr;
    std::thread([] {
        plugin = new Plugin;
        plugin->call("plugin_start");
    }).join();
    thread_local Releaser releaser;
    releaser.plugin = plugin;
    return 5;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 97;
    plugin_path = argv[2];
    return ways::take(
        {
            {"closed", closed},
            {"opened", opened},
            {"opened_by_another_thread", opened_by_another_thread},
            {"joined_by_main_itself", joined_by_main_itself},
            {"closed_by_another_thread", closed_by_another_thread_that_goes_on},
            {"closed_while_used", closed_while_a_user_of_it_lives},
            {"first_used_elsewhere", first_used_elsewhere},
        },
        argc, argv);
}

// Coroutines keep their context: what a coroutine set before a suspension it sees after it, in
// whatever thread it goes on.

#include <coroutine>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <thread>

#include <weft/contextvars.hpp>
#include <weft/queue.hpp>

using namespace weft;

contextvars::ContextVar<std::string> request("request", "none");
queue::SimpleQueue<std::optional<std::coroutine_handle<>>> to_resume;
int right = 0;

struct Task {  // any type of coroutine will do
    struct promise_type {
        Task get_return_object() { return {}; }
        std::suspend_never initial_suspend() { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

struct OtherThread {  // goes on where somebody takes from the queue
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) { to_resume.put(coroutine); }
    void await_resume() const {}
};

Task handle(std::string name) {
    request.set(name);
    co_await contextvars::keep(OtherThread());
    std::printf("%s goes on as %s\n", name.c_str(), request.get().c_str());
    if (request.get() == name) ++right;
}

int main() {
    for (const char* name : {"GET /", "GET /news"}) {
        contextvars::Context().run(handle, name);  // a context of its own for each
    }
    to_resume.put(std::nullopt);
    std::jthread([] {
        while (const auto coroutine = to_resume.get()) coroutine->resume();
    }).join();
    return right == 2 && request.get() == "none" ? 0 : 1;
}

// Contexts and Boost.Asio: a coroutine's context variables stay its own over every operation that
// it awaits, on however many threads the loop runs.

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include <boost/asio.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>

#include <weft/contextvars.hpp>

namespace asio = boost::asio;
using namespace weft;

contextvars::ContextVar<std::string> request("request", "none");
std::atomic<int> right{0};

void log(const char* text) {  // knows whose line it writes, and is not told
    std::printf("[%s] %s\n", request.get().c_str(), text);
}

asio::awaitable<void> handle(std::string name) {
    request.set(name);
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    log("waits");
    co_await contextvars::keep(timer.async_wait(asio::deferred));
    log("goes on");
    if (request.get() == name) ++right;
}

int main() {
    asio::io_context io;
    for (const char* name : {"GET /", "GET /news"})
        asio::co_spawn(io, handle(name), asio::detached);
    {
        const std::jthread second([&] { contextvars::Context().run([&] { io.run(); }); });
        contextvars::Context().run([&] { io.run(); });  // what coroutines set first stays in there
    }
    return right == 2 && request.get() == "none" ? 0 : 1;
}

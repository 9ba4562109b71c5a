// The first worked example of Python's page on concurrent.futures: pages fetched at the same time,
// here from a server in this process.

#include <weft/weft.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace weft;

/// A socket that is closed at the end of the scope.
class Socket {
public:
    explicit Socket(int fd) : fd_(fd) {
        if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket");
    }
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int fd() const { return fd_; }

    void send(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent < 0) throw std::system_error(errno, std::generic_category(), "send");
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Reads until the text contains `mark`, or to the end.
    [[nodiscard]] std::string receive(std::string_view mark) const {
        std::string text;
        char buffer[1024];
        while (mark.empty() || text.find(mark) == std::string::npos) {
            const ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
            if (size < 0) throw std::system_error(errno, std::generic_category(), "recv");
            if (size == 0) break;
            text.append(buffer, static_cast<std::size_t>(size));
        }
        return text;
    }

private:
    int fd_;
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Serves `/N` as N letters, and nothing else.
class Server {
public:
    Server() {
        const sockaddr_in any = loopback(0);
        if (::bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
            ::listen(listener_.fd(), 16) != 0) {
            throw std::system_error(errno, std::generic_category(), "listen");
        }
        thread_.start();
    }
    ~Server() {
        ::shutdown(listener_.fd(), SHUT_RDWR);
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::uint16_t port() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }

private:
    void serve() {
        futures::ThreadPoolExecutor workers(4);
        for (;;) {
            const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) return;
            workers.submit(answer, Socket(fd));
        }
    }
    static void answer(const Socket& client) {
        const std::string request = client.receive("\r\n\r\n");
        const std::string path = request.substr(5, request.find(' ', 5) - 5);
        if (path.empty() || path.find_first_not_of("0123456789") != std::string::npos) {
            client.send("HTTP/1.0 404 Not Found\r\n\r\n");
            return;
        }
        client.send("HTTP/1.0 200 OK\r\n\r\n" + std::string(std::stoul(path), 'x'));
    }

    Socket listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    threading::Thread thread_{[this] { serve(); }};
};

std::string load_url(std::uint16_t port, const std::string& path) {
    const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in server = loopback(port);
    if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
        throw std::system_error(errno, std::generic_category(), "connect");
    }
    socket.send("GET " + path + " HTTP/1.0\r\n\r\n");
    const std::string answer = socket.receive("");
    if (!answer.starts_with("HTTP/1.0 200")) throw std::runtime_error(answer.substr(9, 13));
    return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST(UsageOfFutures, TheExampleOfPagesFetchedAtTheSameTime) {
    const Server server;
    const std::vector<std::string> urls{"/10", "/20000", "/nothing", "/300000"};
    std::vector<std::string> said;
    {
        futures::ThreadPoolExecutor executor({.max_workers = 5});
        std::map<futures::Future<std::string>, std::string> future_to_url;
        for (const auto& url : urls) {
            future_to_url.emplace(executor.submit(load_url, server.port(), url), url);
        }
        for (auto& future : futures::as_completed(std::views::keys(future_to_url), 60s)) {
            const std::string& url = future_to_url.at(future);
            try {
                said.push_back(url + " page is " + std::to_string(future.result().size()) +
                               " bytes");
            } catch (const std::exception& error) {
                said.push_back(url + " generated an exception: " + error.what());
            }
        }
    }
    EXPECT_THAT(said,
                testing::UnorderedElementsAre("/10 page is 10 bytes", "/20000 page is 20000 bytes",
                                              "/nothing generated an exception: 404 Not Found",
                                              "/300000 page is 300000 bytes"));
}

}  // namespace

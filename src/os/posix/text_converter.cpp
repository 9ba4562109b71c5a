#include "os/text_converter.hpp"

#include <iconv.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace weft::os {

namespace {

void* open_converter(const char* to, const char* from) noexcept {
    const int saved_errno = errno;
    // Its failure is all bits set, and not null; errno then says why.
    iconv_t const handle = iconv_open(to, from);
    if (reinterpret_cast<std::uintptr_t>(handle) == ~std::uintptr_t{0}) return nullptr;
    errno = saved_errno;
    return handle;
}

}  // namespace

TextConverter::TextConverter(const char* to, const char* from) noexcept
    : handle_(open_converter(to, from)) {}

TextConverter::~TextConverter() {
    if (handle_ != nullptr) iconv_close(handle_);
}

TextConverter::TextConverter(TextConverter&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)) {}

TextConverter& TextConverter::operator=(TextConverter&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
}

TextConverter::Result TextConverter::convert(std::string_view text, std::string& out) {
    const int saved_errno = errno;
    // iconv() does not write to what it reads.
    char* from = const_cast<char*>(text.data());
    std::size_t left = text.size();
    Stop stop = Stop::end;
    while (left > 0) {
        std::array<char, 4096> piece;
        char* to = piece.data();
        std::size_t room = piece.size();
        const std::size_t answer = iconv(handle_, &from, &left, &to, &room);
        const int error = errno;
        out.append(piece.data(), piece.size() - room);
        if (answer != static_cast<std::size_t>(-1) || error == E2BIG) continue;
        stop = error == EINVAL ? Stop::incomplete : Stop::invalid;
        break;
    }
    errno = saved_errno;
    return {.consumed = text.size() - left, .stop = stop};
}

void TextConverter::finish(std::string& out) {
    const int saved_errno = errno;
    std::array<char, 64> piece;
    char* to = piece.data();
    std::size_t room = piece.size();
    iconv(handle_, nullptr, nullptr, &to, &room);
    out.append(piece.data(), piece.size() - room);
    errno = saved_errno;
}

}  // namespace weft::os

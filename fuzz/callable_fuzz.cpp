// Any bytes taken for a packed call, and real calls with another parcel or with some bytes changed:
// made, or refused with an exception. Of the callables here none travels as the address of code,
// for whoever may write those may have anything called.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include <weft/bind_front.hpp>
#include <weft/detail/callable.hpp>
#include <weft/pickle.hpp>

#include "support/check.hpp"

namespace {

struct Scaled {
    double factor = 1;
    std::vector<std::string> names;
    double operator()(double x) const { return factor * x; }
};

const std::vector<weft::bytes>& real_calls() {
    using weft::detail::pack_call;
    static const std::vector<weft::bytes> calls{
        pack_call([](int a, int b) { return (a ^ b) & 0xff; }, 6, 7),
        pack_call([](const std::string& text,
                     const std::vector<std::string>& more) { return text.size() + more.size(); },
                  "text", std::vector<std::string>{"a", "b"}),
        pack_call(Scaled{1.5, {"one"}}, 4.0),
        pack_call(weft::bind_front([](const std::string& a, int b) { return a + char(b & 0x3f); },
                                   "bound"),
                  65)};
    return calls;
}

/// Where the parcel begins: behind the magic word, build-id, path and offset.
std::size_t head_size(const weft::bytes& packed) {
    std::size_t at = std::strlen("weft packed call");
    for (int field = 0; field < 2; ++field) {
        std::uint64_t size = 0;
        std::memcpy(&size, packed.data() + at, sizeof size);
        at += sizeof size + static_cast<std::size_t>(size);
    }
    return at + sizeof(std::uint64_t);
}

weft::bytes packed_from(std::span<const std::uint8_t> input) {
    const auto* const first = reinterpret_cast<const std::byte*>(input.data());
    weft::bytes packed = real_calls()[input[0] % real_calls().size()];
    switch (input[1] % 3) {
        case 0:
            return {first + 2, first + input.size()};
        case 1:
            packed.resize(head_size(packed));
            packed.insert(packed.end(), first + 2, first + input.size());
            return packed;
        default:
            for (std::size_t i = 2; i + 2 < input.size(); i += 3) {
                const std::size_t place = input[i] + std::size_t{256} * input[i + 1];
                packed[place % packed.size()] ^= first[i + 2];
            }
            return packed;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const weft::bytes packed = packed_from({data, size});
    weft::bytes result;
    try {
        result = weft::detail::run_packed(packed);
    } catch (const std::exception& error) {
        WEFT_FUZZ_CHECK(*error.what() != '\0');
        return 0;
    }
    // Whatever was called gave a pickle.
    WEFT_FUZZ_CHECK(!weft::pickle::loads(result).repr().empty());
    return 0;
}

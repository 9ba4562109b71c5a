// Any bytes, cut anywhere: text mode gives the same as for the whole, ends lines with "\n", and
// gives every byte back under surrogateescape.

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "subprocess/codec.hpp"
#include "subprocess/utf8.hpp"
#include "support/check.hpp"

namespace {

using namespace weft::subprocess;

struct Decoded {
    std::string text;
    bool has_failed = false;
    friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(const TextFormat& format, std::string_view bytes, std::size_t piece) {
    Decoded result;
    Decoder decoder(format);
    try {
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            decoder.decode(bytes.substr(at, piece), result.text, false);
        }
        decoder.decode({}, result.text, true);
    } catch (const std::invalid_argument&) {
        result.has_failed = true;
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    static constexpr const char* kEncodings[] = {"utf-8", "utf-8-sig", "utf-16",
                                                 "ascii", "shift_jis", "utf-32-le"};
    static constexpr const char* kPolicies[] = {"strict", "ignore", "replace", "backslashreplace",
                                                "surrogateescape"};
    const TextFormat format = find_text_format(kEncodings[data[0] % 6], kPolicies[data[0] / 6 % 5]);
    const std::size_t piece = data[1] % 16 + 1;
    const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);

    const Decoded whole = decode(format, bytes, bytes.size() + 1);
    WEFT_FUZZ_CHECK(decode(format, bytes, piece) == whole);
    WEFT_FUZZ_CHECK(whole.text.find('\r') == std::string::npos);
    WEFT_FUZZ_CHECK(!whole.has_failed || format.policy == ErrorPolicy::strict);
    if (format.policy != ErrorPolicy::surrogateescape) {
        WEFT_FUZZ_CHECK(scan_utf8(whole.text).valid == whole.text.size());
    } else if (format.system_name.empty() && !format.has_signature &&
               bytes.find('\r') == std::string::npos) {
        std::string back;
        Encoder(format).encode(whole.text, back);
        WEFT_FUZZ_CHECK(back == bytes);
    }
    return 0;
}

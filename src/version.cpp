#include <weft/version.hpp>

#define WEFT_TEXT_OF(x) #x
#define WEFT_TEXT(x) WEFT_TEXT_OF(x)

namespace weft {

int version() noexcept {
    return WEFT_VERSION;
}

const char* version_string() noexcept {
    return WEFT_TEXT(WEFT_VERSION_MAJOR) "." WEFT_TEXT(WEFT_VERSION_MINOR) "." WEFT_TEXT(
        WEFT_VERSION_PATCH);
}

}  // namespace weft

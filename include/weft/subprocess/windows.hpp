#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace weft::subprocess {

// What Python's module has for Windows. The names end with an underscore, because windows.h makes
// macros of most of them; the values are the system's. On other systems these exist and compile,
// and starting a child with any of them throws `std::invalid_argument`.

/// Extra attributes of a new process.
struct StartupAttributes {
    /// The handles that the child inherits; needs `close_fds`. Nothing: no such attribute.
    std::optional<std::vector<std::intptr_t>> handle_list = std::nullopt;

    friend bool operator==(const StartupAttributes&, const StartupAttributes&) = default;
};

/// Settings for the creation of a process.
struct STARTUPINFO_ {
    std::uint32_t dwFlags = 0;                               ///< which of the others apply
    std::optional<std::intptr_t> hStdInput = std::nullopt;   ///< with STARTF_USESTDHANDLES_
    std::optional<std::intptr_t> hStdOutput = std::nullopt;  ///< with STARTF_USESTDHANDLES_
    std::optional<std::intptr_t> hStdError = std::nullopt;   ///< with STARTF_USESTDHANDLES_
    std::uint16_t wShowWindow = 0;                           ///< with STARTF_USESHOWWINDOW_
    StartupAttributes lpAttributeList = {};

    /// Another one with the same values.
    [[nodiscard]] STARTUPINFO_ copy() const { return *this; }

    friend bool operator==(const STARTUPINFO_&, const STARTUPINFO_&) = default;
};

inline constexpr std::uint32_t STD_INPUT_HANDLE_ = 0xFFFFFFF6;   ///< the standard input device
inline constexpr std::uint32_t STD_OUTPUT_HANDLE_ = 0xFFFFFFF5;  ///< the standard output device
inline constexpr std::uint32_t STD_ERROR_HANDLE_ = 0xFFFFFFF4;   ///< the standard error device

inline constexpr std::uint16_t SW_HIDE_ = 0;  ///< for wShowWindow: another window is shown

// For STARTUPINFO_::dwFlags.
inline constexpr std::uint32_t STARTF_USESHOWWINDOW_ = 0x00000001;
inline constexpr std::uint32_t STARTF_FORCEONFEEDBACK_ = 0x00000040;   ///< busy cursor at start
inline constexpr std::uint32_t STARTF_FORCEOFFFEEDBACK_ = 0x00000080;  ///< cursor left alone
inline constexpr std::uint32_t STARTF_USESTDHANDLES_ = 0x00000100;

// For creationflags.
inline constexpr std::uint32_t DETACHED_PROCESS_ = 0x00000008;
inline constexpr std::uint32_t CREATE_NEW_CONSOLE_ = 0x00000010;
inline constexpr std::uint32_t NORMAL_PRIORITY_CLASS_ = 0x00000020;
inline constexpr std::uint32_t IDLE_PRIORITY_CLASS_ = 0x00000040;
inline constexpr std::uint32_t HIGH_PRIORITY_CLASS_ = 0x00000080;
inline constexpr std::uint32_t REALTIME_PRIORITY_CLASS_ = 0x00000100;
inline constexpr std::uint32_t CREATE_NEW_PROCESS_GROUP_ = 0x00000200;
inline constexpr std::uint32_t BELOW_NORMAL_PRIORITY_CLASS_ = 0x00004000;
inline constexpr std::uint32_t ABOVE_NORMAL_PRIORITY_CLASS_ = 0x00008000;
inline constexpr std::uint32_t CREATE_BREAKAWAY_FROM_JOB_ = 0x01000000;
inline constexpr std::uint32_t CREATE_DEFAULT_ERROR_MODE_ = 0x04000000;
inline constexpr std::uint32_t CREATE_NO_WINDOW_ = 0x08000000;

}  // namespace weft::subprocess

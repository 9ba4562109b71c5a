#pragma once

#include <memory>
#include <optional>

#include <weft/subprocess/args.hpp>
#include <weft/subprocess/options.hpp>

#include "os/descriptor.hpp"
#include "subprocess/child_process.hpp"
#include "subprocess/codec.hpp"
#include "subprocess/pipe_state.hpp"

namespace weft::subprocess {

/// A child that runs, and our ends of its pipes.
struct Launched {
    std::unique_ptr<ChildProcess> process;
    std::shared_ptr<weft::detail::PipeWriterState> input{};
    std::shared_ptr<weft::detail::PipeReaderState> output{};
    std::shared_ptr<weft::detail::PipeReaderState> error_output{};
    std::optional<TextFormat> text{};  ///< none: bytes
    os::Descriptor terminal{};         ///< the child's, which hangs up when all our ends are closed
    os::Descriptor family{};  ///< ends when no descendant holds the other end; nothing is read
};

/// Starts a child. Throws what Popen's constructor throws, and then leaves nothing behind.
[[nodiscard]] Launched launch(const Args& args, const PopenOptions& options);

}  // namespace weft::subprocess

#pragma once

/// Starting programs, talking to them, and learning how they ended: Python's `subprocess`.
///
/// `run()` does what most need. `Popen` is for the rest: a child that runs beside the program.

#include <weft/subprocess/args.hpp>
#include <weft/subprocess/env.hpp>
#include <weft/subprocess/errors.hpp>
#include <weft/subprocess/options.hpp>
#include <weft/subprocess/pipeline.hpp>
#include <weft/subprocess/popen.hpp>
#include <weft/subprocess/redirect.hpp>
#include <weft/subprocess/run.hpp>
#include <weft/subprocess/stream.hpp>
#include <weft/subprocess/windows.hpp>

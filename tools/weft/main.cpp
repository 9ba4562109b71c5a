// The command-line program: `weft map`, `weft tour` and, with the modules to come, more.

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <weft/version.hpp>

#include "map.hpp"
#include "tour.hpp"

int main(int argc, char** argv) {
    try {
        // Its options end where the command begins, which has options of its own.
        if (argc > 1 && std::string_view(argv[1]) == "map")
            return map::run({argv + 2, argv + argc});
    } catch (const std::exception& error) {
        constexpr int kOwnFailure = 255;
        std::fprintf(stderr, "weft map: %s\n", error.what());
        return kOwnFailure;
    }
    CLI::App app("Weft: Python's concurrent execution as a native C++ library.", "weft");
    app.set_version_flag("--version", std::string("weft ") + weft::version_string());
    app.require_subcommand(1);
    app.get_formatter()->column_width(28);

    std::string folder = "/usr/include";
    CLI::App* const tour = app.add_subcommand(
        "tour", "Run every module once, on real input, and say what it did and how fast.");
    tour->add_option("folder", folder, "The folder whose headers are read.")->capture_default_str();

    app.add_subcommand("map", map::kSummary);

    CLI11_PARSE(app, argc, argv);
    try {
        if (tour->parsed()) return tour::run(folder);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "weft: %s\n", error.what());
        return 1;
    }
    return 0;
}

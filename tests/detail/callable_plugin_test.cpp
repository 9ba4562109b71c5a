// Calls of functions in a plugin, which the process that makes them opens by itself: that plugin,
// and no other that lies in its place.

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/child.hpp"
#include "support/child_path.hpp"

namespace {

namespace fs = std::filesystem;

/// A directory with a copy of the plugin in it.
class CallablePlugin : public testing::Test {
protected:
    CallablePlugin() {
        fs::create_directories(directory_);
        put("callable_plugin");
    }
    ~CallablePlugin() override { fs::remove_all(directory_); }

    void put(const std::string& plugin) {
        fs::remove(path());
        fs::copy_file(weft::test::child_path(plugin), path());
    }
    [[nodiscard]] std::string path() const { return (directory_ / "plugin").string(); }
    [[nodiscard]] std::string directory() const { return directory_.string(); }

    static std::string packed(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "pack");
        const auto result = weft::test::run_child("callable_host", {.arguments = arguments});
        EXPECT_TRUE(result.exited_with(0)) << result.describe();
        return result.output;
    }
    static weft::test::ChildResult run(const std::string& packed) {
        return weft::test::run_child("callable_host", {.arguments = {"run"}, .input = packed});
    }
    static std::string made(const std::string& packed) { return run(packed).output; }

private:
    fs::path directory_ = fs::temp_directory_path() / "plugins";
};

TEST_F(CallablePlugin, IsOpenedByWhoMakesTheCall) {
    EXPECT_EQ(made(packed({"function", path()})), "42");
}

TEST_F(CallablePlugin, PacksCallsOfItsOwn) {
    const std::string result = made(packed({"lambda", path()}));
#if defined(WEFT_TEST_SHARED_WEFT)
    EXPECT_EQ(result, "42");
#else
    // A plugin with a Weft of its own enters what it packs into a list that nobody else sees.
    EXPECT_NE(result.find("is no entry of a packed call"), std::string::npos) << result;
    EXPECT_NE(result.find("a plugin and the program need Weft as one shared library"),
              std::string::npos)
        << result;
#endif
}

TEST_F(CallablePlugin, IsFoundAlsoWhenItWasOpenedFromAnotherDirectory) {
    EXPECT_EQ(made(packed({"function", "./plugin", directory()})), "42");
}

TEST_F(CallablePlugin, OfAnotherBuildIsNotRun) {
    const std::string call = packed({"function", path()});
    put("callable_plugin_other");
    const auto refused = run(call);
    EXPECT_NE(refused.output.find("what is there now is another build"), std::string::npos)
        << refused.output;
    EXPECT_EQ(refused.error, "");
    // Which runs where it is meant.
    const auto made_by_other = run(packed({"function", path()}));
    EXPECT_EQ(made_by_other.output, "42");
    EXPECT_EQ(made_by_other.error, "the other build runs");
}

TEST_F(CallablePlugin, ThatIsGoneOrNoLibraryIsRefused) {
    const std::string call = packed({"function", path()});
    fs::remove(path());
    EXPECT_NE(made(call).find("No such file or directory"), std::string::npos) << made(call);
    fs::create_directory(path());
    EXPECT_NE(made(call).find("no whole library with a build-id"), std::string::npos) << made(call);
    fs::remove(path());
    fs::copy_file("/etc/passwd", path());
    EXPECT_NE(made(call).find("no whole library with a build-id"), std::string::npos) << made(call);
}

TEST_F(CallablePlugin, CutOffIsRefused) {
    const std::string call = packed({"function", path()});
    const auto size = fs::file_size(path());
    for (const std::uintmax_t left : {std::uintmax_t{0}, std::uintmax_t{40}, size / 100}) {
        fs::resize_file(path(), left);
        const std::string said = made(call);
        EXPECT_NE(said.find("which this process does not have"), std::string::npos) << said;
        put("callable_plugin");
    }
}

}  // namespace

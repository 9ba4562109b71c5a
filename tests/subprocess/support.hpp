#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <weft/subprocess.hpp>

namespace weft::test {

/// The descriptor that a thread's waits are woken by is made by its first one and stays: it must be
/// there before anybody counts.
inline void wait_for_the_first_time() {
    subprocess::Popen child({"cat"}, {.stdin_ = subprocess::PIPE});
    // Long enough to fall asleep.
    EXPECT_THROW(child.wait(0.001), subprocess::TimeoutExpired);
}

class WarmUp : public testing::Environment {
public:
    void SetUp() override { wait_for_the_first_time(); }
};

inline const testing::Environment* const warm_up = testing::AddGlobalTestEnvironment(new WarmUp);

/// A fresh folder in the program's temporary directory.
class Folder {
public:
    Folder() : path_(std::filesystem::temp_directory_path() / "case") {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file(path_ / name);
        std::ostringstream text;
        text << file.rdbuf();
        return std::move(text).str();
    }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
    }

private:
    std::filesystem::path path_;
};

}  // namespace weft::test

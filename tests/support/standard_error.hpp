#pragma once

#include <string>
#include <vector>

namespace weft::test {

/// Receives what this program writes to descriptor 2 as long as it lives, write by write.
class StandardError {
public:
    StandardError();
    ~StandardError();
    StandardError(const StandardError&) = delete;
    StandardError& operator=(const StandardError&) = delete;

    /// What was written since the last call, one string for each write.
    [[nodiscard]] std::vector<std::string> writes();

private:
    int before_;  ///< a second name of the descriptor 2 that there was
    int receiver_;
};

}  // namespace weft::test

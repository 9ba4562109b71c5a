// output=$(dmesg | grep hda)

#include <string>

#include <weft/subprocess.hpp>

using namespace weft;

int main() {
    // By hand, as Python's page does it.
    subprocess::Popen p1({"printf", "hda one\nsda two\n"}, {.stdout_ = subprocess::PIPE});
    subprocess::Popen p2({"grep", "hda"}, {.stdin_ = p1.stdout_(), .stdout_ = subprocess::PIPE});
    p1.stdout_().close();  // so that p1 gets SIGPIPE if p2 ends first
    const std::string by_hand = p2.communicate().stdout_;

    // In one line.
    const auto done =
        (subprocess::cmd({"printf", "hda one\nsda two\n"}) | subprocess::cmd({"grep", "hda"}))
            .run({.stdout_ = subprocess::PIPE});

    // By a shell, if the text is your own.
    const std::string by_shell =
        subprocess::check_output("printf 'hda one\\nsda two\\n' | grep hda", {.shell = true});
    return by_hand == "hda one\n" && done.stdout_ == by_hand && by_shell == by_hand ? 0 : 1;
}

// output=$(mycmd myarg)

#include <string>

#include <weft/subprocess.hpp>

using namespace weft;

int main() {
    const std::string output = subprocess::check_output({"printf", "%s", "myarg"});
    return output == "myarg" ? 0 : 1;
}

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <weft/bind_front.hpp>

namespace {

int priced(int tax_percent, int price) {
    return price + price * tax_percent / 100;
}

struct Label {  // members that can be pickled: it can be sent to another process
    std::string prefix;
    std::string operator()(int number) const { return prefix + std::to_string(number); }
};

}  // namespace

int main() {
    const auto with_tax = weft::bind_front(priced, 20);  // instead of a lambda that captures 20
    const auto labelled = weft::bind_front(Label{"order "});

    int total = 0;
    std::jthread([&] { total = with_tax(100) + with_tax(50); }).join();
    std::printf("%s costs %d\n", labelled(7).c_str(), total);
    return total == 180 && labelled(7) == "order 7" ? 0 : 1;
}

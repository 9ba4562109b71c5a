// Packs calls and makes those of another run of this program, as callable_test.cpp tells it.

#include <cstdio>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <weft/detail/callable.hpp>
#include <weft/pickle.hpp>

namespace {

long factorial(int n) {
    return n < 2 ? 1 : n * factorial(n - 1);
}

long twice(int n) {
    return 2L * n;
}

struct Scaled {
    double factor = 1;
    double operator()(double x) const { return factor * x; }
};

struct Counter {
    int start = 0;
    [[nodiscard]] int plus(int n) const { return start + n; }
};

struct Base {
    int id = 5;
    [[nodiscard]] virtual std::string name() const { return "base" + std::to_string(id); }
    virtual ~Base() = default;
};
template <class Archive>
void serialize(Archive& archive, Base& b) {
    archive(b.id);
}

weft::bytes pack(std::string_view name) {
    using weft::detail::pack_call;
    if (name == "lambda") return pack_call([](int a, int b) { return a * b; }, 6, 7);
    if (name == "text") return pack_call([](const std::string& a) { return a + "!"; }, "literal");
    if (name == "nothing") return pack_call([] {});
    if (name == "function") return pack_call(factorial, 10);
    // Two of one type must not be taken for each other.
    if (name == "pointer") return pack_call(&twice, 21);
    // Entries with the same code, which a linker may fold into one.
    if (name == "one") return pack_call([](int n) { return n + 1; }, 41);
    if (name == "other") return pack_call([](int n) { return n + 1; }, 42);
    if (name == "bound") return pack_call(weft::bind_front(twice), 21);
    if (name == "functor") return pack_call(Scaled{1.5}, 4.0);
    if (name == "method") return pack_call(&Counter::plus, Counter{40}, 2);
    if (name == "virtual") return pack_call(&Base::name, Base());
    if (name == "container") {
        return pack_call([](std::vector<int> v) { return std::vector<int>(v.rbegin(), v.rend()); },
                         std::vector<int>{1, 2, 3});
    }
    if (name == "throws") {
        return pack_call(
            [](int n) -> int { throw std::out_of_range("thrown " + std::to_string(n)); }, 3);
    }
    throw std::invalid_argument("no such call");
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc > 2 && std::string_view(argv[1]) == "pack") {
            const weft::bytes packed = pack(argv[2]);
            std::fwrite(packed.data(), 1, packed.size(), stdout);
            return 0;
        }
        const std::string packed{std::istreambuf_iterator<char>(std::cin), {}};
        std::cout << weft::pickle::loads(weft::detail::run_packed(packed)).repr();
        return 0;
    } catch (const std::exception& error) {
        std::cout << error.what();
        return 3;
    }
}

// Finding a deadlock that has not happened yet: two locks taken in both orders.

#include <cstdio>
#include <string>

#include <weft/threading.hpp>
#include <weft/unraisable.hpp>

using namespace weft;

int main() {
    std::string warning;
    set_warning_handler([&](WarningCategory, std::string_view text) { warning = text; });
    threading::check_lock_order();  // or WEFT_LOCK_ORDER=1 in the environment

    threading::Lock accounts;
    threading::Lock journal;
    {
        threading::Guard first(accounts);
        threading::Guard second(journal);
    }
    {
        threading::Guard first(journal);
        threading::Guard second(accounts);  // warns: another thread may do the first block now
    }
    std::printf("%s\n", warning.c_str());
    return warning.starts_with("lock order:") ? 0 : 1;
}

#pragma once

namespace bench {

/// The same function, compiled without and with -finstrument-functions.
int plain_work(int n);
int traced_work(int n);

}  // namespace bench

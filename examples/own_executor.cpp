// An executor of one's own: it runs each call in the thread that submits it.

#include <cstdio>
#include <stdexcept>

#include <weft/concurrent/futures.hpp>

using namespace weft;

class HereExecutor : public futures::Executor {
public:
    ~HereExecutor() override { shutdown(); }

protected:
    void enqueue(futures::Task task) override {
        if (is_shut_down_) throw std::runtime_error("submit: the executor was shut down");
        task.run();
    }
    void stop(futures::ShutdownOptions) override { is_shut_down_ = true; }

private:
    bool is_shut_down_ = false;
};

int twice(futures::Executor& any, int n) {  // takes a pool as well
    return any.submit([](int m) { return 2 * m; }, n).result();
}

int main() {
    HereExecutor here;
    futures::ThreadPoolExecutor pool(1);
    std::printf("%d %d\n", twice(here, 21), twice(pool, 21));
    int sum = 0;
    for (const int n : here.map([](int m) { return m * m; }, {1, 2, 3})) sum += n;
    return sum == 14 ? 0 : 1;
}

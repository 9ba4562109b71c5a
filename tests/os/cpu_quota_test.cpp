#include "os/cpu_quota.hpp"

#include <gtest/gtest.h>

namespace {

using weft::os::cpu_quota;
using weft::os::cpus_in_quota;

TEST(CpuQuota, IsRoundedUpToWholeCpus) {
    EXPECT_EQ(cpus_in_quota("200000 100000\n"), 2);
    EXPECT_EQ(cpus_in_quota("150000 100000\n"), 2);
    EXPECT_EQ(cpus_in_quota("1000 100000\n"), 1);
}

TEST(CpuQuota, IsNoneWithoutALimit) {
    EXPECT_EQ(cpus_in_quota("max 100000\n"), 0);
    EXPECT_EQ(cpus_in_quota(""), 0);
    EXPECT_EQ(cpus_in_quota("nonsense"), 0);
    EXPECT_EQ(cpus_in_quota("100000 0"), 0);
}

TEST(CpuQuota, IsNoneWhereThereAreNoGroups) {
    EXPECT_EQ(cpu_quota("/nowhere"), 0);
}

}  // namespace

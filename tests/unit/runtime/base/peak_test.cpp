// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Times and the peak: the fastest and the median time, and the rate that belongs to the fastest.
#include "runtime/abi.h"
#include "runtime/base/peak.h"
#include <catch2/catch.hpp>

using namespace gradc::runtime;

TEST_CASE("times have the fastest, the median and a peak") {
    TimesBesidePeak times(GRADC_BASELINE, false, nullptr);
    for (double seconds : {3.0, 1.0, 2.0, 5.0, 4.0}) times.add(seconds);
    times.finish();
    CHECK(times.fastest() == 1.0);
    CHECK(times.median() == 3.0);
    CHECK(times.peak() > 1e6);
    double peak = times.peak();
    times.add(6.0);
    times.finish();
    CHECK(times.fastest() == 1.0);
    CHECK(times.peak() == peak); // still that of the fastest
}

TEST_CASE("the peak is measured with and without threads") {
    ThreadPool pool(2, false);
    CHECK(measure_peak(GRADC_BASELINE, true, &pool) > 1e6);
    CHECK(measure_peak(GRADC_BASELINE, true, nullptr) > 1e6);
}

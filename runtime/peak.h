// The speed of this CPU's multiply-adds: a loop of independent ones in registers.
#pragma once
#include "runtime/threads.h"

namespace gradc::runtime {

/// Floating-point operations a second of all threads at once, each with a loop of its own; `isa` as
/// in gradc_isa, `is_double` for f64, `pool` null for one thread.
double measure_peak(int isa, bool is_double, ThreadPool* pool);

} // namespace gradc::runtime

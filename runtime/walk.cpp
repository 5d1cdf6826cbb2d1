// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One pass over the table. The iterations of its loops are kept in `sizes`, where kernels read them.
#include "runtime/walk.h"
#include "runtime/base/console.h"
#include "runtime/base/dtype.h"
#include "runtime/base/isa.h"
#include <cmath>

namespace gradc::runtime {

static constexpr int deepest = 16; // loops of scans inside scans

[[gnu::always_inline]] static inline void run_kernel(const gradc_kernel& kernel, unsigned char* arena,
                                                     const int64_t* sizes, const WalkOptions& options) {
    const gradc_extent& items = kernel.code->extents[options.isa];
    int64_t extent = items.fixed + (sizes[0] * items.per_row + items.divisor - 1) / items.divisor;
    gradc_function function = kernel.code->functions[options.isa];
    const uint32_t* arguments = kernel.arguments + options.isa * kernel.argument_distance;
    int parts = 1;
    if (options.pool && items.grain > 0) {
        parts = int(std::min<int64_t>(options.pool->count(), extent / items.grain));
    }
    if (parts > 1) {
        options.pool->run(function, arena, sizes, arguments, extent, parts);
    } else {
        function(arena, sizes, arguments, 0, extent);
    }
}

[[gnu::noinline]] static void time_kernel(const gradc_program& program, int32_t kernel, unsigned char* arena,
                                          const int64_t* sizes, const WalkOptions& options) {
    double begin = now();
    run_kernel(program.kernels[kernel], arena, sizes, options);
    options.seconds[kernel] += now() - begin;
}

static bool first_result_is_finite(const gradc_module& module, const gradc_program& program,
                                   const unsigned char* arena) {
    const gradc_tensor& loss = module.tensors[program.results[0]];
    return std::isfinite(load_element(arena + loss.offset, loss.dtype));
}

Walk walk(const gradc_module& module, const gradc_program& program, unsigned char* arena, int64_t rows,
          const WalkOptions& options) {
    FlushDenormals flushing(options.flush_denormals);
    int64_t sizes[1 + deepest] = {rows};
    struct Loop {
        int32_t begin;
        int64_t done;
    } loops[deepest];
    int depth = 0;
    for (int32_t at = 0; at < program.step_count; at++) {
        const gradc_step& step = program.table[at];
        if (step.kind == GRADC_KERNEL) {
            if (options.seconds) [[unlikely]]
                time_kernel(program, step.kernel, arena, sizes, options);
            else run_kernel(program.kernels[step.kernel], arena, sizes, options);
        } else if (step.kind == GRADC_LOOP_BEGIN) {
            loops[depth] = {at, 0};
            sizes[1 + depth++] = step.reverse ? step.iterations - 1 : 0;
        } else if (step.kind == GRADC_LOOP_END) {
            Loop& loop = loops[depth - 1];
            const gradc_step& begin = program.table[loop.begin];
            if (++loop.done < begin.iterations) {
                sizes[depth] = begin.reverse ? begin.iterations - 1 - loop.done : loop.done;
                at = loop.begin;
            } else {
                depth--;
            }
        } else if (options.guard && program.result_count > 0 && !first_result_is_finite(module, program, arena)) {
            return Walk::stopped;
        }
    }
    return Walk::finished;
}

void place_constants(const gradc_module& module, unsigned char* arena) {
    for (int32_t piece = 0; piece < module.constant_count; piece++) {
        memcpy(arena + module.constant_offsets[piece], module.constant_bytes[piece],
               size_t(module.constant_sizes[piece]));
    }
}

} // namespace gradc::runtime

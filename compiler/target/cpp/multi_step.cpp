// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A step: an epoch begins where one is due, rows are copied, kernels run, and the loss is tested at the guard.
#include "compiler/target/cpp/multi_step.h"
#include "compiler/program/code.h"
#include "compiler/program/multi_step.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gradc::target {

using namespace loop;

namespace {

class MultiStepText {
public:
    MultiStepText(const Module& module, const Program& program, const Machine& machine,
                  const std::vector<std::string>& names)
        : module_(module), program_(program), machine_(machine), names_(names) {}

    std::string run() {
        std::string macro;
        for (char c : machine_.name) macro += char(std::toupper(static_cast<unsigned char>(c)));
        line("// Many steps of {} rows, one after another.", program_.multi_step->rows);
        line("{} static int64_t steps(unsigned char* arena, gradc_multi_step* run) {{", macro);
        ++indent_;
        start();
        line("for (int64_t step = 0; step < run->count; ++step) {{");
        ++indent_;
        begin_epoch();
        take_rows();
        kernels();
        line("run->loss_sum += {}.0 * {};", program_.multi_step->rows, loss());
        line("run->loss_total += {};", loss());
        count_up("step");
        line("--until_epoch;");
        --indent_;
        line("}}");
        give_back();
        line("return run->count;");
        --indent_;
        line("}}");
        return std::move(text_);
    }

private:
    template <class... Arguments> void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        text_ += std::string(size_t(4 * indent_), ' ');
        text_ += fmt::format(format, std::forward<Arguments>(arguments)...) + "\n";
    }

    std::string loss() const {
        BufferId id = program_.results[0].buffer;
        const char* type = module_.buffers[id].dtype == Dtype::f32 ? "float" : "double";
        return fmt::format("double(*({}*)(arena + {}))", type, module_.buffers[id].offset);
    }

    const Buffer* scalar(const std::string& name) const {
        for (BufferId id : touched_buffers(program_))
            if (module_.buffers[id].role == Buffer::Role::scalar && module_.buffers[id].name == name)
                return &module_.buffers[id];
        return nullptr;
    }
    void count_up(const std::string& name) {
        if (const Buffer* buffer = scalar(name)) line("*(double*)(arena + {}) += 1; // {}", buffer->offset, name);
    }
    /// Scalars that the steps count up are left as they were.
    void start() {
        int depth = 0, deepest = 0;
        for (const Step& step : program_.table) {
            depth += (step.kind == Step::Kind::loop_begin) - (step.kind == Step::Kind::loop_end);
            deepest = std::max(deepest, depth);
        }
        line("int64_t sizes[{}] = {{{}}};", 1 + deepest, program_.multi_step->rows);
        line("int64_t until_epoch = run->until_epoch;");
        for (const char* name : {"step", "epoch"})
            if (const Buffer* buffer = scalar(name))
                line("const double first_{} = *(double*)(arena + {});", name, buffer->offset);
    }
    void give_back() {
        for (const char* name : {"step", "epoch"})
            if (const Buffer* buffer = scalar(name)) line("*(double*)(arena + {}) = first_{};", buffer->offset, name);
    }

    void begin_epoch() {
        line("if (until_epoch == 0) {{");
        ++indent_;
        for (BufferId id : program_.multi_step->cleared) {
            const Buffer& buffer = module_.buffers[id];
            line("__builtin_memset(arena + {}, 0, {}); // {}", buffer.offset, buffer.size, buffer.name);
        }
        line("run->loss_sum = 0;");
        line("until_epoch = run->epoch_steps;");
        count_up("epoch");
        --indent_;
        line("}}");
    }

    void take_rows() {
        std::vector<MultiStepField> fields = multi_step_fields(module_, program_);
        if (fields.empty()) return;
        line("for (int64_t n = 0; n < {}; ++n) {{", program_.multi_step->rows);
        ++indent_;
        line("const int64_t row = run->order[{}*step + n];", program_.multi_step->rows);
        for (size_t i = 0; i < fields.size(); ++i) {
            const Buffer& buffer = module_.buffers[fields[i].buffer];
            if (fields[i].numbers) {
                line("((int32_t*)(arena + {}))[n] = int32_t(row);", buffer.offset);
                continue;
            }
            line("const gradc_column column{} = run->columns[{}]; // {}", i, i, buffer.name);
            line("__builtin_memcpy(arena + {} + {}*n, column{}.first + column{}.distance * row, {});", buffer.offset,
                 fields[i].row_bytes, i, i, fields[i].row_bytes);
        }
        --indent_;
        line("}}");
    }

    void kernels() {
        int depth = 0;
        for (const Step& step : program_.table) {
            if (step.kind == Step::Kind::loop_begin) {
                ++depth;
                line("for (int64_t turn{0} = 0; turn{0} < {1}; ++turn{0}) {{", depth, step.iterations);
                ++indent_;
                if (step.reverse) line("sizes[{0}] = {1} - turn{0};", depth, step.iterations - 1);
                else line("sizes[{0}] = turn{0};", depth);
            } else if (step.kind == Step::Kind::loop_end) {
                --depth;
                --indent_;
                line("}}");
            } else if (step.kind == Step::Kind::guard) {
                guard();
            } else {
                int64_t all = items(program_.kernels[step.kernel].extent, program_.multi_step->rows);
                call(names_[step.kernel], program_.kernels[step.kernel], all);
            }
        }
    }

    void call(const std::string& name, const Kernel& kernel, int64_t all) {
        if (!function_of(module_, machine_.isa, kernel).takes_arguments)
            return line("{}(arena, sizes, nullptr, 0, {});", name, all);
        line("{{");
        line("    static const uint32_t arguments[] = {{{}}};", fmt::join(arguments_of(module_, kernel), ", "));
        line("    {}(arena, sizes, arguments, 0, {});", name, all);
        line("}}");
    }

    void guard() {
        line("if (!(__builtin_fabs({}) < __builtin_inf())) {{", loss());
        ++indent_;
        give_back();
        line("return step;");
        --indent_;
        line("}}");
    }

    const Module& module_;
    const Program& program_;
    const Machine& machine_;
    const std::vector<std::string>& names_;
    std::string text_;
    int indent_ = 0;
};

} // namespace

std::string print_multi_step(const Module& module, const Program& program, const Machine& machine,
                             const std::vector<std::string>& names) {
    return MultiStepText(module, program, machine, names).run();
}

} // namespace gradc::target

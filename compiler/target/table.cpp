// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Mirrors runtime/abi.h member by member, in its order. Equal arrays of numbers are shared.
#include "compiler/target/table.h"
#include "compiler/program/code.h"
#include "compiler/program/multi_step.h"
#include "compiler/target/layout.h"
#include "compiler/util/check.h"
#include "compiler/util/key_bytes.h"
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace gradc::target {

using namespace loop;

namespace {

using Kind = TableValue::Kind;

TableValue text(const std::string& content) {
    TableValue value{Kind::text};
    value.text = content;
    return value;
}
TableValue i32(int64_t number) { return {Kind::i32, number}; }
TableValue i64(int64_t number) { return {Kind::i64, number}; }
TableValue f64(double number) { return {Kind::f64, 0, number}; }
TableValue first_of(int array) { return {Kind::array, array}; }
TableValue function(TableFunction kernel) {
    TableValue value{Kind::function};
    value.function = kernel;
    return value;
}
TableValue members(std::vector<TableValue> content) {
    TableValue value{Kind::members};
    value.members = std::move(content);
    return value;
}

class TableBuilder {
public:
    TableBuilder(const Module& module, const Metadata& metadata, bool sharing)
        : module_(module), metadata_(metadata), sharing_(sharing), tensors_(metadata.tensors) {}
    Table run();

private:
    TableValue array(const std::string& type, const std::string& name, std::vector<TableValue> elements) {
        if (elements.empty()) return first_of(-1);
        table_.arrays.push_back({type, name, std::move(elements), {}, {}});
        return first_of(int(table_.arrays.size()) - 1);
    }
    TableValue numbers(const std::vector<int64_t>& content) {
        auto [known, added] = known_numbers_.emplace(content, -1);
        if (!added) return first_of(known->second);
        std::vector<TableValue> elements;
        for (int64_t number : content) elements.push_back(i64(number));
        TableValue made = array("int64_t", fmt::format("numbers_{}", known_numbers_.size() - 1), elements);
        known->second = int(made.integer);
        return made;
    }
    TableValue indices(const std::string& name, const std::vector<int64_t>& content) {
        std::vector<TableValue> elements;
        for (int64_t number : content) elements.push_back(i32(number));
        return array("int32_t", name, elements);
    }
    using Versions = std::array<std::optional<Program>, isa_count>;
    Isa version(const Versions& versions, Isa isa) const;
    bool serves(const Versions& versions, Isa isa) const;
    int tensor_of(const Result& result);
    std::vector<int64_t> fields_read(const Program& program) const;
    TableValue tensor(const Metadata::Tensor& tensor);
    TableValue program(int number);
    TableValue kernel(int program, int number);
    std::vector<TableValue> argument_values(const Kernel& kernel) const;
    std::pair<TableValue, int64_t> kernel_arguments(const std::vector<std::vector<TableValue>>& by_isa, int code);
    TableValue step_functions(int program, const std::vector<int64_t>& fields) const;
    TableValue dataset(const DatasetSpec& dataset);
    TableValue field(const std::string& prefix, const Field& field);
    TableValue block(const Metadata::Block& block, int number);
    TableValue split(const Metadata::WholeSplit& split) const;
    TableValue program_number(int32_t number) const;
    void constants(std::vector<TableValue>& content);

    const Module& module_;
    const Metadata& metadata_;
    bool sharing_;
    std::vector<Metadata::Tensor> tensors_;
    std::map<std::vector<int64_t>, int> known_numbers_, known_arguments_; // arguments: behind their code's number
    std::map<std::string, int> known_codes_;
    Table table_;
};

const Program& any(const std::array<std::optional<Program>, isa_count>& versions) {
    for (const std::optional<Program>& version : versions)
        if (version) return *version;
    throw InternalError("table", "a program was lowered for no machine");
}

int TableBuilder::tensor_of(const Result& result) {
    for (size_t i = 0; i < tensors_.size(); ++i)
        if (tensors_[i].buffer == result.buffer && tensors_[i].name == result.name) return int(i);
    tensors_.push_back({result.name, result.name, GRADC_RESULT, result.buffer});
    return int(tensors_.size()) - 1;
}

gradc_order order_of(RowOrder order) {
    return order == RowOrder::shuffled ? GRADC_SHUFFLED : order == RowOrder::file ? GRADC_FILE_ORDER : GRADC_RANDOM;
}

std::vector<int64_t> TableBuilder::fields_read(const Program& program) const {
    std::set<BufferId> loaded = touched_buffers(program); // no kernel stores to a field
    std::vector<int64_t> fields;
    for (size_t i = 0; i < tensors_.size(); ++i)
        if (tensors_[i].role == GRADC_FIELD && loaded.count(tensors_[i].buffer)) fields.push_back(int64_t(i));
    return fields;
}

TableValue TableBuilder::tensor(const Metadata::Tensor& tensor) {
    check(tensor.buffer < module_.buffers.size(), "table", "tensor " + tensor.name + " has no buffer");
    const Buffer& buffer = module_.buffers[tensor.buffer];
    Shape shape = buffer.shape;
    bool has_rows = !shape.empty() && shape[0] == rows;
    if (has_rows) shape[0] = module_.batch;
    return members({text(tensor.name), text(tensor.saved_as), i32(int(buffer.dtype)), i32(tensor.role),
                    i32(int64_t(shape.size())), i32(has_rows), numbers(shape), numbers(buffer.strides),
                    i64(buffer.offset), i64(buffer.panel)});
}

/// Of the machines that the module is built for, one without a version of its own runs the
/// baseline's.
Isa TableBuilder::version(const Versions& versions, Isa isa) const {
    return versions[size_t(isa)] ? isa : Isa::baseline;
}

bool TableBuilder::serves(const Versions& versions, Isa isa) const {
    if (module_.isas.empty()) return bool(versions[size_t(isa)]); // built by hand, for what it has
    bool wanted = std::find(module_.isas.begin(), module_.isas.end(), isa) != module_.isas.end();
    return wanted && (versions[size_t(isa)] || versions[size_t(Isa::baseline)]);
}

TableValue TableBuilder::kernel(int program, int number) {
    const auto& versions = module_.programs[size_t(program)];
    const Kernel& first = any(versions).kernels[size_t(number)];
    std::vector<TableValue> functions, extents;
    std::vector<std::vector<TableValue>> arguments;
    KeyBytes key;
    for (int isa = 0; isa < isa_count; ++isa) {
        bool served = serves(versions, Isa(isa));
        Isa built = version(versions, Isa(isa));
        const Kernel& one = served ? versions[size_t(built)]->kernels[size_t(number)] : first;
        KernelNumber own{program, number}, shared;
        if (served) shared = sharing_ ? one.same_as.value_or(own) : own;
        functions.push_back(function({shared.program, shared.kernel, built, served}));
        const auto& [fixed, per_row, divisor] = one.extent;
        extents.push_back(members({i64(fixed), i64(per_row), i64(divisor), i64(one.grain)}));
        key.add({served, int64_t(built), shared.program, shared.kernel, fixed, per_row, divisor, one.grain});
        bool takes = sharing_ && served && function_of(module_, built, one).takes_arguments;
        if (takes) arguments.push_back(argument_values(one));
        else arguments.emplace_back();
    }
    key.add_bits(first.flops);
    key.add_bits(first.bytes);
    auto [known, added] = known_codes_.emplace(key.take(), -1);
    if (added) {
        TableValue code = members({members(functions), members(extents), f64(first.flops), f64(first.bytes)});
        std::string name = fmt::format("code_{}", known_codes_.size() - 1);
        known->second = int(array("gradc_code", name, {code}).integer);
    }
    auto [argument_array, distance] = kernel_arguments(arguments, known->second);
    // Programs that run once in a while are reported nowhere: their kernels need no names of their own.
    const Kernel* named = &first;
    if (const auto& same = first.same_as; sharing_ && first.once && same)
        named = &any(module_.programs[size_t(same->program)]).kernels[size_t(same->kernel)];
    return members({text(named->name), first_of(known->second), argument_array, i64(distance)});
}

std::vector<TableValue> TableBuilder::argument_values(const Kernel& kernel) const {
    std::vector<TableValue> values;
    for (int64_t number : arguments_of(module_, kernel)) values.push_back(i32(int32_t(uint32_t(number))));
    std::vector<BufferId> buffers = buffers_of(kernel); // come first
    for (size_t i = 0; i < buffers.size(); ++i)
        if (module_.buffers[buffers[i]].role != Buffer::Role::local) values[i].buffer = buffers[i];
    return values;
}

/// Those of all machines one behind the other, or once where they are equal; and the distance between two.
std::pair<TableValue, int64_t> TableBuilder::kernel_arguments(const std::vector<std::vector<TableValue>>& by_isa,
                                                              int code) {
    size_t longest = 0;
    const std::vector<TableValue>* any = nullptr;
    bool equal = true;
    auto same = [](const TableValue& a, const TableValue& b) { return a.integer == b.integer; };
    for (const auto& arguments : by_isa) {
        longest = std::max(longest, arguments.size());
        if (arguments.empty()) continue;
        equal = equal && (!any || std::equal(any->begin(), any->end(), arguments.begin(), arguments.end(), same));
        any = &arguments;
    }
    if (!any) return {first_of(-1), 0};
    std::vector<TableValue> all;
    if (equal) all = *any;
    for (size_t i = 0; !equal && i < by_isa.size(); ++i) {
        all.insert(all.end(), by_isa[i].begin(), by_isa[i].end());
        all.resize((i + 1) * longest);
    }
    std::vector<int64_t> key{code};
    for (const TableValue& value : all) key.push_back(value.integer);
    auto [known, added] = known_arguments_.emplace(key, -1);
    if (added) {
        std::string name = fmt::format("arguments_{}", known_arguments_.size() - 1);
        known->second = int(array("uint32_t", name, all).integer);
    }
    return {first_of(known->second), equal ? 0 : int64_t(longest)};
}

/// Of a step in a stretch; 0 if there is none for any machine.
int64_t step_rows(const std::array<std::optional<Program>, isa_count>& versions) {
    for (const std::optional<Program>& version : versions)
        if (version && version->multi_step) return version->multi_step->rows;
    return 0;
}

/// The generated function finds the columns in order of buffers, the runtime fills them in order of fields.
TableValue TableBuilder::step_functions(int number, const std::vector<int64_t>& fields) const {
    const Versions& versions = module_.programs[size_t(number)];
    const Program& first = any(versions);
    bool ordered = true, stretched = step_rows(versions) > 0;
    if (stretched) {
        std::vector<MultiStepField> expected = multi_step_fields(module_, first);
        ordered = expected.size() == fields.size();
        for (size_t i = 0; ordered && i < fields.size(); ++i)
            ordered = expected[i].buffer == tensors_[size_t(fields[i])].buffer;
    }
    check(ordered, "table", "the fields of " + first.name + " are not in order of their buffers");
    std::vector<TableValue> functions;
    for (int isa = 0; isa < isa_count; ++isa) {
        Isa built = version(versions, Isa(isa));
        bool has = serves(versions, Isa(isa)) && versions[size_t(built)]->multi_step;
        functions.push_back(function({number, 0, built, has, true}));
    }
    return members(functions);
}

TableValue TableBuilder::program(int number) {
    const Program& program = any(module_.programs[size_t(number)]);
    std::vector<TableValue> kernels, steps;
    for (size_t i = 0; i < program.kernels.size(); ++i) kernels.push_back(kernel(number, int(i)));
    for (const Step& step : program.table)
        steps.push_back(members({i32(int(step.kind)), i32(step.kernel), i32(step.iterations), i32(step.reverse)}));
    std::vector<int64_t> results;
    for (const Result& result : program.results) results.push_back(tensor_of(result));
    int64_t kernel_count = int64_t(kernels.size()), step_count = int64_t(steps.size());
    TableValue kernel_array = array("gradc_kernel", fmt::format("kernels_{}", number), std::move(kernels));
    TableValue step_array = array("gradc_step", fmt::format("steps_{}", number), std::move(steps));
    std::vector<int64_t> fields = fields_read(program);
    TableValue multi_step = step_functions(number, fields);
    TableValue field_array = indices(fmt::format("fields_{}", number), fields);
    TableValue result_array = indices(fmt::format("results_{}", number), results);
    return members({text(program.name), kernel_array, step_array, i32(kernel_count), i32(step_count), result_array,
                    i32(int64_t(results.size())), f64(program.flops), field_array, i32(int64_t(fields.size())),
                    multi_step, i64(step_rows(module_.programs[size_t(number)]))});
}

TableValue TableBuilder::field(const std::string& prefix, const Field& field) {
    const Reader& reader = field.reader;
    std::vector<TableValue> files, names, values;
    for (const Reader::File& file : reader.files) files.push_back(members({text(file.split), text(file.path)}));
    for (const std::string& name : reader.column_names) names.push_back(text(name));
    for (double value : reader.values) values.push_back(f64(value));
    TableValue file_array = array("gradc_file", prefix + "_files", std::move(files));
    TableValue name_array = array("const char*", prefix + "_column_names", std::move(names));
    TableValue value_array = array("double", prefix + "_values", std::move(values));
    return members({text(field.name),
                    text(reader.name),
                    i32(int(field.stored)),
                    i32(int64_t(field.shape.size())),
                    numbers(field.shape),
                    i64(field.low),
                    i64(field.high),
                    file_array,
                    i32(int64_t(reader.files.size())),
                    numbers(reader.columns),
                    name_array,
                    i32(int64_t(reader.columns.size())),
                    i32(int64_t(reader.column_names.size())),
                    value_array,
                    i64(reader.rows),
                    text(reader.alphabet),
                    i64(reader.window),
                    i64(reader.stride),
                    i32(int(reader.strings)),
                    i32(reader.other),
                    i64(reader.record),
                    i64(reader.offset),
                    i32(int(reader.in_file))});
}

TableValue TableBuilder::dataset(const DatasetSpec& dataset) {
    std::vector<TableValue> fields, splits;
    for (size_t i = 0; i < dataset.fields.size(); ++i)
        fields.push_back(field(fmt::format("{}_{}", dataset.name, i), dataset.fields[i]));
    for (const SplitRange& split : dataset.splits) splits.push_back(members({text(split.name), f64(split.fraction)}));
    TableValue field_array = array("gradc_field", dataset.name + "_fields", std::move(fields));
    TableValue split_array = array("gradc_split", dataset.name + "_splits", std::move(splits));
    return members({text(dataset.name), field_array, split_array, i32(int64_t(dataset.fields.size())),
                    i32(int64_t(dataset.splits.size())), i32(dataset.in_order), i32(dataset.split_by_file)});
}

TableValue TableBuilder::split(const Metadata::WholeSplit& split) const {
    return members({i32(split.first_pass), i32(split.pass_count), i32(split.finish)});
}

TableValue TableBuilder::block(const Metadata::Block& block, int number) {
    std::vector<TableValue> flags, metrics;
    for (size_t i = 0; i < block.flags.size(); ++i) {
        const Flag& flag = block.flags[i];
        flags.push_back(members({text(flag.name), text(flag.full), text(flag.help), i32(block.flag_scalars[i]),
                                 i32(flag.integer), f64(flag.value)}));
    }
    for (const Metric& metric : block.metrics) {
        const Shape& shape = metric.type.shape;
        metrics.push_back(members({text(metric.name), i32(int64_t(shape.size())), numbers(shape)}));
    }
    TableValue flag_array = array("gradc_flag", fmt::format("flags_{}", number), std::move(flags));
    TableValue metric_array = array("gradc_metric", fmt::format("metrics_{}", number), std::move(metrics));
    return members({text(block.name), i32(block.dataset), i32(block.batch_all), i32(order_of(block.order)),
                    i64(block.batch), i64(block.epochs), i64(block.steps), i64(block.turns), flag_array,
                    i32(int64_t(block.flags.size())), metric_array, i32(int64_t(block.metrics.size())),
                    program_number(block.step), split(block.training), split(block.evaluation), i32(block.predict),
                    i32(block.generate), i64(block.context), i32(block.diagnose + 1)});
}

TableValue TableBuilder::program_number(int32_t number) const {
    check(number >= 0 && size_t(number) < module_.programs.size(), "table", "a block has no step");
    return i32(number);
}

void TableBuilder::constants(std::vector<TableValue>& content) {
    std::vector<int64_t> offsets, sizes;
    std::vector<TableValue> contents;
    for (const Buffer& buffer : module_.buffers) {
        if (buffer.role != Buffer::Role::constant || buffer.values.empty()) continue;
        Table::Array bytes{"unsigned char",
                           fmt::format("constant_{}", contents.size()),
                           {},
                           pack(layout_of(buffer, module_.batch), buffer.values),
                           buffer.name};
        offsets.push_back(buffer.offset);
        sizes.push_back(int64_t(bytes.bytes.size()));
        table_.arrays.push_back(std::move(bytes));
        contents.push_back(first_of(int(table_.arrays.size()) - 1));
    }
    int64_t count = int64_t(contents.size());
    content.push_back(numbers(offsets));
    content.push_back(numbers(sizes));
    content.push_back(array("const unsigned char*", "constants", std::move(contents)));
    content.push_back(i32(count));
}

Table TableBuilder::run() {
    const Metadata& about = metadata_;
    std::vector<TableValue> programs, tensors, datasets, blocks;
    for (size_t i = 0; i < module_.programs.size(); ++i) programs.push_back(program(int(i)));
    for (const Metadata::Tensor& entry : tensors_) tensors.push_back(tensor(entry));
    for (const DatasetSpec& entry : about.datasets) datasets.push_back(dataset(entry));
    for (size_t i = 0; i < about.blocks.size(); ++i) blocks.push_back(block(about.blocks[i], int(i)));
    int64_t counts[] = {int64_t(tensors.size()), int64_t(programs.size()), int64_t(datasets.size()),
                        int64_t(blocks.size())};
    std::vector<TableValue> bits;
    for (const std::string& hash : about.bits) bits.push_back(text(hash));
    std::vector<TableValue> content{i32(GRADC_ABI_VERSION),      text(about.name),           text(about.compiler),
                                    text(about.options),         text(about.source_hash),    members(std::move(bits)),
                                    i64(module_.arena_bytes),    i64(about.parameter_bytes), i64(about.optimizer_bytes),
                                    i64(about.activation_bytes), i64(about.scratch_bytes),   i64(about.least_bytes),
                                    i64(module_.batch)};
    content.push_back(array("gradc_tensor", "tensors", std::move(tensors)));
    content.push_back(array("gradc_program", "programs", std::move(programs)));
    content.push_back(array("gradc_dataset", "datasets", std::move(datasets)));
    content.push_back(array("gradc_block", "blocks", std::move(blocks)));
    for (int64_t count : counts) content.push_back(i32(count));
    content.push_back(i32(about.initial));
    content.push_back(split(about.statistics));
    content.push_back(i32(about.columns));
    constants(content);
    content.push_back(i32(about.flush_denormals));
    content.push_back(i32(1 + about.derived));
    table_.module = members(std::move(content));
    return std::move(table_);
}

} // namespace

Table make_table(const Module& module, const Metadata& metadata, bool sharing) {
    return TableBuilder(module, metadata, sharing).run();
}

namespace {

std::string symbol_of(const std::string& program, const std::string& part, Isa isa) {
    static constexpr const char* names[] = {"baseline", "avx2", "avx512"};
    std::string result = fmt::format("{}__{}__{}", program, part, names[size_t(isa)]);
    for (char& c : result)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return result;
}

} // namespace

std::string symbol(const Program& program, const Kernel& kernel, Isa isa) {
    return symbol_of(program.name, kernel.name, isa);
}

std::string steps_symbol(const Program& program, Isa isa) { return symbol_of(program.name, "steps", isa); }

std::string symbol(const Module& module, const TableFunction& function) {
    const Program& program = *module.programs[size_t(function.program)][size_t(function.isa)];
    if (function.steps) return steps_symbol(program, function.isa);
    return symbol(program, program.kernels[size_t(function.kernel)], function.isa);
}

} // namespace gradc::target

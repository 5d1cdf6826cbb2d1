// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The module's table: every member has the value of the metadata, through LLVM and through C++.
#include "compiler/target/compile.h"
#include "compiler/target/engine.h"
#include "tests/unit/target/builder.h"
#include "tests/unit/target/programs.h"
#include <catch2/catch.hpp>

using namespace gradc;
using target::Metadata;

namespace {

Metadata full_metadata(const loop::TestModule& test) {
    Metadata about = test.metadata;
    about.compiler = "gradc 0.1.0";
    about.options = "--set text=\"a\\b?\?/\n\"";
    about.source_hash = "0123456789abcdef";
    about.bits = {"", "fedcba9876543210", "fedcba9876543211"};
    about.parameter_bytes = 1, about.optimizer_bytes = 2, about.activation_bytes = 3, about.scratch_bytes = 1L << 40,
    about.least_bytes = 1L << 41;
    Field field;
    field.name = "image", field.stored = Dtype::u8, field.shape = {28, 28};
    field.low = -3, field.high = 1L << 50;
    Reader& reader = field.reader;
    reader.name = "idx";
    reader.files = {{"train", "a.gz"}, {"test", "b.gz"}};
    reader.columns = {0, 1, 63}, reader.column_names = {"price", "größe"};
    reader.values = {1, -0.0, 1e300, 0.1}, reader.rows = 4, reader.alphabet = "a\"\\\n\t", reader.window = 7,
    reader.stride = 2;
    reader.strings = Strings::words, reader.other = true;
    reader.record = 1L << 33, reader.offset = 1L << 32, reader.in_file = Dtype::u8;
    DatasetSpec dataset{"pictures", {field, {}}, {{"train", 0.8}, {"test", 0.2}}, true, true, {}};
    dataset.fields[1].name = "label";
    about.datasets = {dataset};
    Metadata::Block block;
    block.name = "train", block.dataset = 0, block.batch_all = true, block.order = RowOrder::random;
    block.batch = 9, block.epochs = 5, block.steps = 6, block.turns = 7;
    block.flags = {{"rate", "train.rate", "", 1e-3, true, "adam: rate of descent"}}, block.flag_scalars = {2};
    block.metrics = {{"loss", {}}, {"confusion", {Dtype::f32, {10, 10}}}};
    block.step = 1, block.training = {2, 1, 3}, block.evaluation = {0, 2, 4}, block.predict = 5, block.diagnose = 6;
    about.blocks = {block};
    about.initial = 7, about.statistics = {1, 2, -1}, about.columns = 3, about.flush_denormals = true;
    return about;
}

void check_field(const gradc_field& field) {
    CHECK(std::string(field.name) == "image");
    CHECK(std::string(field.reader) == "idx");
    CHECK(field.stored == GRADC_U8);
    REQUIRE(field.rank == 2);
    CHECK((field.shape[0] == 28 && field.shape[1] == 28));
    CHECK((field.low == -3 && field.high == 1L << 50));
    REQUIRE(field.file_count == 2);
    CHECK((std::string(field.files[1].split) == "test" && std::string(field.files[1].path) == "b.gz"));
    REQUIRE((field.column_count == 3 && field.column_name_count == 2));
    CHECK((field.columns[2] == 63 && std::string(field.column_names[1]) == "größe"));
    CHECK((field.rows == 4 && field.values[2] == 1e300 && field.values[3] == 0.1 && std::signbit(field.values[1])));
    CHECK(std::string(field.alphabet) == "a\"\\\n\t");
    CHECK((field.window == 7 && field.stride == 2));
    CHECK((field.strings == GRADC_WORDS && field.other == 1));
    CHECK((field.record == 1L << 33 && field.offset == 1L << 32 && field.in_file == GRADC_U8));
}

void check_block(const gradc_block& block) {
    CHECK((std::string(block.name) == "train" && block.dataset == 0 && block.batch_all == 1));
    CHECK(
        (block.order == GRADC_RANDOM && block.batch == 9 && block.epochs == 5 && block.steps == 6 && block.turns == 7));
    REQUIRE((block.flag_count == 1 && block.metric_count == 2));
    const gradc_flag& flag = block.flags[0];
    CHECK((std::string(flag.full) == "train.rate" && flag.scalar == 2 && flag.integer == 1 && flag.value == 1e-3));
    CHECK((block.metrics[0].rank == 0 && block.metrics[1].rank == 2 && block.metrics[1].shape[1] == 10));
    CHECK((block.step == 1 && block.training.finish == 3 && block.evaluation.pass_count == 2));
    CHECK((block.evaluation.finish == 4 && block.predict == 5 && block.diagnose == 7)); // 1 + program
}

void check_programs(const gradc_module& module, const loop::TestModule& test) {
    REQUIRE(module.program_count == int(test.module.programs.size()));
    const gradc_program& table = module.programs[module.program_count - 1];
    CHECK(std::string(table.name) == "table");
    REQUIRE((table.kernel_count == 2 && table.step_count == 5 && table.result_count == 1));
    CHECK((table.table[2].kind == GRADC_LOOP_BEGIN && table.table[2].iterations == 4 && table.table[2].reverse == 1));
    CHECK((table.table[3].kind == GRADC_KERNEL && table.table[3].kernel == 1));
    CHECK(std::string(module.tensors[table.results[0]].name) == "count");
    CHECK(module.tensors[table.results[0]].role == GRADC_RESULT);
    const gradc_program& add = module.programs[0];
    for (const gradc_extent& extent : add.kernels[0].code->extents)
        CHECK((extent.fixed == 0 && extent.per_row == 1 && extent.divisor == 1));
    for (gradc_function function : add.kernels[0].code->functions) CHECK(function != nullptr);
    REQUIRE(add.field_count == 2); // add.a and add.b, not add.out
    CHECK(std::string(module.tensors[add.fields[1]].name) == "add.b");
}

void check_module(const gradc_module& module, const loop::TestModule& test, const Metadata& about) {
    CHECK(module.abi_version == GRADC_ABI_VERSION);
    CHECK(std::string(module.name) == "tests");
    CHECK(std::string(module.options) == about.options);
    CHECK(std::string(module.source_hash) == about.source_hash);
    for (int isa = 0; isa < GRADC_ISA_COUNT; ++isa) CHECK(std::string(module.bits[isa]) == about.bits[size_t(isa)]);
    CHECK((module.arena_bytes == test.module.arena_bytes && module.batch == 9));
    CHECK((module.parameter_bytes == 1 && module.optimizer_bytes == 2 && module.activation_bytes == 3));
    CHECK((module.scratch_bytes == 1L << 40 && module.least_bytes == 1L << 41));
    REQUIRE((module.dataset_count == 1 && module.block_count == 1));
    const gradc_dataset& dataset = module.datasets[0];
    REQUIRE((dataset.field_count == 2 && dataset.split_count == 2));
    CHECK((dataset.in_order == 1 && dataset.split_by_file == 1 && dataset.splits[1].fraction == 0.2));
    check_field(dataset.fields[0]);
    CHECK((dataset.fields[1].file_count == 0 && dataset.fields[1].files == nullptr));
    check_block(module.blocks[0]);
    check_programs(module, test);
    CHECK((module.initial == 7 && module.statistics.pass_count == 2 && module.columns == 3 &&
           module.flush_denormals == 1));
    const gradc_tensor& first = module.tensors[0];
    CHECK((std::string(first.name) == "add.a" && first.role == GRADC_FIELD && first.has_rows == 1 && first.rank == 2));
    CHECK((first.shape[0] == 9 && first.shape[1] == 5 && first.strides[0] == 5 && first.dtype == GRADC_F32));
    REQUIRE(module.constant_count == 1);
    CHECK((module.constant_sizes[0] == 16 && *reinterpret_cast<const double*>(module.constant_bytes[0]) == 10));
}

} // namespace

TEST_CASE("the table has the metadata, with both backends") {
    loop::TestModule test = loop::test_module();
    Metadata about = full_metadata(test);
    SECTION("LLVM") {
        target::Engine engine = target::load_object(target::object(test.module, about));
        check_module(engine.module(), test, about);
    }
    for (const std::string& compiler : target::find_compilers()) {
        SECTION(compiler) {
            std::string error;
            std::optional<target::Engine> engine =
                target::load_cpp(target::print_cpp(test.module, about), compiler, error);
            INFO(error);
            REQUIRE(engine);
            check_module(engine->module(), test, about);
        }
    }
}

TEST_CASE("each instruction set calls a kernel with its own extent") {
    loop::TestModule test = loop::test_module();
    loop::Kernel& widest = test.module.programs[0][size_t(loop::Isa::avx512)]->kernels[0];
    widest.extent = {7, 3, 2}, widest.grain = 5;
    target::Engine engine = target::load_object(target::object(test.module, test.metadata));
    const gradc_extent(&extents)[GRADC_ISA_COUNT] = engine.module().programs[0].kernels[0].code->extents;
    CHECK((extents[GRADC_AVX512].fixed == 7 && extents[GRADC_AVX512].per_row == 3));
    CHECK((extents[GRADC_AVX512].divisor == 2 && extents[GRADC_AVX512].grain == 5));
    CHECK((extents[GRADC_AVX2].fixed == 0 && extents[GRADC_AVX2].per_row == 1));
}

TEST_CASE("a program built for one machine has no function for others") {
    loop::TestModule test = loop::test_module();
    for (auto& versions : test.module.programs) versions[1] = versions[2] = std::nullopt;
    target::Engine engine = target::load_object(target::object(test.module, test.metadata));
    const gradc_kernel& kernel = engine.module().programs[0].kernels[0];
    CHECK((kernel.code->functions[0] && !kernel.code->functions[1] && !kernel.code->functions[2]));
    CHECK_THROWS(engine.run(0, 1, loop::Isa::avx2));
}

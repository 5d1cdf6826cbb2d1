// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `freeze`: parameters that it names are constants, and states beside them keep their values.
#include "compiler/graph/rewrite.h"
#include "tests/unit/training/simulation.h"
#include <set>

using namespace gradc;

namespace {

std::string model(const std::string& lines) {
    return R"(
dataset d { i = range(12);  x: f32[4] = normal(shape: [4]);  label: int < 3 = i % 3 }
model base(x: f32[N, 4]) { return dropout(relu(batch_norm(linear(x, 6))), 0.5) }
model head(x: f32[N, 6]) -> f32[N, 3] { return linear(batch_norm(x), 3) }
train {
    data d;  batch 6;  epochs 2
    loss cross_entropy(head(base(x)), label)
)" + lines +
           "\n}";
}

/// Paths of variables that one step changes.
std::set<std::string> moved(const std::string& lines) {
    Simulation trainer(model(lines));
    auto before = trainer.variables;
    trainer.step(1, 2, 0, 6);
    std::set<std::string> result;
    for (const Variable& variable : trainer.program->variables) {
        bool model = variable.role == Variable::Role::parameter || variable.role == Variable::Role::state;
        if (model && trainer.values(variable.path) != before.at(variable.path).values) result.insert(variable.path);
    }
    return result;
}

const std::set<std::string> head{"head.batch_norm_1.weight", "head.batch_norm_1.bias", "head.batch_norm_1.m",
                                 "head.batch_norm_1.v",      "head.linear_1.weight",   "head.linear_1.bias"};

std::string errors(const std::string& lines) {
    std::string printed;
    job(model(lines), printed);
    return printed;
}

} // namespace

TEST_CASE("freeze keeps parameters and running averages; other states move") {
    CHECK(moved("optimizer adam()\nfreeze base") == head);
    std::set<std::string> more = head;
    more.insert({"base.batch_norm_1.m", "base.batch_norm_1.v"});
    CHECK(moved("optimizer adam()\nfreeze base.*.weight, base.*.bias") == more); // its states are not named
    CHECK(moved("optimizer adam() on head") == more);
}

TEST_CASE("a frozen batch_norm normalizes by its running averages, and dropout goes on") {
    Simulation trainer(model("optimizer adam()\nfreeze base"));
    const TrainBlock& block = trainer.program->blocks[0];
    std::set<std::string> read;
    bool random = false;
    for (NodeId id : reachable(block.step, {block.step.outputs[0].node})) {
        const Node& node = block.step[id];
        if (auto variable = std::get_if<VariableName>(&node.attributes)) read.insert(variable->path);
        random = random || node.op == Op::random;
    }
    CHECK(read.count("base.batch_norm_1.m"));
    CHECK(!read.count("head.batch_norm_1.m"));
    CHECK(random);
}

TEST_CASE("a frozen parameter has no gradient and no optimizer state") {
    Simulation trainer(model("optimizer adam()\nfreeze base"));
    for (const Variable& variable : trainer.program->variables)
        CHECK((variable.role != Variable::Role::optimizer || variable.path.find("/base.") == std::string::npos));
    CHECK(trainer.program->blocks[0].parameters.size() == 4);
}

TEST_CASE("patterns match paths and names in files") {
    const char* named = R"(
dataset d { i = range(12);  x: f32[4] = normal(shape: [4]);  label: int < 3 = i % 3 }
model base(x: f32[N, 4]) {
    z = linear(x, 6, bias: false) as "fc"
    return batch_norm(z) as "h.0"
}
model net(x: f32[N, 4]) -> f32[N, 3] { z = base(x) as "encoder";  return linear(z, 3) as "head" }
train { data d;  batch 6;  loss cross_entropy(net(x), label);  optimizer adam()
)";
    auto still = [&](const std::string& line) {
        Simulation trainer(named + line + "\n}");
        auto before = trainer.variables;
        trainer.step(1, 2, 0, 6);
        std::set<std::string> result;
        for (const Variable& variable : trainer.program->variables)
            if (variable.role <= Variable::Role::state &&
                trainer.values(variable.path) == before.at(variable.path).values)
                result.insert(variable.saved_as);
        return result;
    };
    for (const char* line : {"freeze base", "freeze encoder", "freeze encoder.*", "freeze \"encoder.*\""}) {
        INFO(line);
        CHECK(still(line).size() == 5);
        CHECK(!still(line).count("head.weight"));
    }
    CHECK(still("freeze encoder.h.0.*").size() == 4);
    CHECK(still("freeze encoder.h.*.weight, head.bias") == std::set<std::string>{"encoder.h.0.weight", "head.bias"});
    CHECK(still("freeze net.linear_1").count("head.weight"));
}

TEST_CASE("errors of freeze") {
    CHECK(errors("optimizer adam()\nfreeze heed.*").find("did you mean `head`") != std::string::npos);
    CHECK(errors("optimizer adam()\nfreeze *.table").find("there is no parameter `*.table`") != std::string::npos);
    CHECK(errors("optimizer adam()\nfreeze base, heed").find("there is no parameter `heed`") != std::string::npos);
    CHECK(errors("optimizer adam()\nfreeze base, heed").find("did you mean `head`") != std::string::npos);
    CHECK(errors("optimizer adam()\nfreeze base, head").find("`freeze` or an earlier line holds") != std::string::npos);
    CHECK(errors("optimizer adam()\nfreeze base\nfreeze head").find("`freeze` is set twice") != std::string::npos);
}

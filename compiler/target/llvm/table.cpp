// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A struct of C is the struct of LLVM with the same members: both lay them out by the rules of the
// platform.
#include "compiler/target/llvm/table.h"
#include <llvm/IR/Constants.h>
#include <map>

namespace gradc::target {
namespace {

class TableEmitter {
public:
    TableEmitter(llvm::Module& target, const loop::Module& module, const Table& table, const FunctionNames& names)
        : target_(target), context_(target.getContext()), module_(module), table_(table), names_(names) {}

    void run() {
        for (const Table::Array& array : table_.arrays) arrays_.push_back(emit(array));
        llvm::Constant* content = constant(table_.module);
        auto* global = new llvm::GlobalVariable(target_, content->getType(), true, llvm::GlobalValue::ExternalLinkage,
                                                content, "gradc_module_table");
        global->setAlignment(llvm::Align(8));
    }

private:
    llvm::Constant* emit(const Table::Array& array) {
        llvm::Constant* content = nullptr;
        if (array.type == "unsigned char") {
            content = llvm::ConstantDataArray::getString(context_, array.bytes, false);
        } else {
            std::vector<llvm::Constant*> elements;
            for (const TableValue& value : array.elements) elements.push_back(constant(value));
            auto* type = llvm::ArrayType::get(elements[0]->getType(), elements.size());
            content = llvm::ConstantArray::get(type, elements);
        }
        return global(content, array.name, array.type == "unsigned char" ? 64 : 8);
    }
    llvm::Constant* global(llvm::Constant* content, const std::string& name, uint64_t alignment) {
        auto* made = new llvm::GlobalVariable(target_, content->getType(), true, llvm::GlobalValue::PrivateLinkage,
                                              content, name);
        made->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
        made->setAlignment(llvm::Align(alignment));
        return made;
    }
    llvm::PointerType* pointer() { return llvm::PointerType::getUnqual(context_); }
    llvm::Constant* null() { return llvm::ConstantPointerNull::get(pointer()); }

    llvm::Constant* constant(const TableValue& value) {
        switch (value.kind) {
        case TableValue::Kind::i32:
            return llvm::ConstantInt::getSigned(llvm::Type::getInt32Ty(context_), value.integer);
        case TableValue::Kind::i64:
            return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(context_), value.integer);
        case TableValue::Kind::f64: return llvm::ConstantFP::get(llvm::Type::getDoubleTy(context_), value.number);
        case TableValue::Kind::text: return text(value.text);
        case TableValue::Kind::array: return value.integer < 0 ? null() : arrays_[size_t(value.integer)];
        case TableValue::Kind::function: return value.function.built ? function(value.function) : null();
        case TableValue::Kind::members: break;
        }
        return members(value.members);
    }
    llvm::Constant* text(const std::string& content) {
        llvm::Constant*& known = texts_[content];
        if (!known) known = global(llvm::ConstantDataArray::getString(context_, content), "text", 1);
        return known;
    }
    llvm::Constant* function(const TableFunction& function) {
        auto named = names_.find({function.isa, {function.program, function.kernel}});
        bool own = !function.steps && named != names_.end();
        std::string name = own ? named->second : symbol(module_, function);
        if (llvm::Function* known = target_.getFunction(name)) return known;
        llvm::Type* integer = llvm::Type::getInt64Ty(context_);
        auto* type = function.steps
                         ? llvm::FunctionType::get(integer, {pointer(), pointer()}, false)
                         : llvm::FunctionType::get(llvm::Type::getVoidTy(context_),
                                                   {pointer(), pointer(), pointer(), integer, integer}, false);
        auto* declared = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, target_);
        declared->setVisibility(llvm::GlobalValue::HiddenVisibility);
        return declared;
    }
    llvm::Constant* members(const std::vector<TableValue>& content) {
        std::vector<llvm::Constant*> constants;
        for (const TableValue& member : content) constants.push_back(constant(member));
        if (content[0].kind == TableValue::Kind::function)
            return llvm::ConstantArray::get(llvm::ArrayType::get(pointer(), constants.size()), constants);
        return llvm::ConstantStruct::getAnon(context_, constants);
    }

    llvm::Module& target_;
    llvm::LLVMContext& context_;
    const loop::Module& module_;
    const Table& table_;
    const FunctionNames& names_;
    std::vector<llvm::Constant*> arrays_;
    std::map<std::string, llvm::Constant*> texts_;
};

} // namespace

void emit_table(llvm::Module& target, const loop::Module& module, const Table& table, const FunctionNames& names) {
    TableEmitter(target, module, table, names).run();
}

} // namespace gradc::target

// The trainer's entry: all of it is in the model's table.
#include "runtime/trainer.h"

int main(int argc, char** argv) {
    return gradc::runtime::run_trainer(argc, argv, gradc_module_table);
}

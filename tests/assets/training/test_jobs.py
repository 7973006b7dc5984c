from assets import definitions
from assets.training.language import language_network
from assets.training.networks import (
    distillation_study,
    finetuned_network,
    label_efficiency_report,
    pretrained_network,
    teacher_features,
    zero_shot_report,
)

ASSETS = [teacher_features, pretrained_network, finetuned_network, zero_shot_report, label_efficiency_report]


def test_jobs_and_the_pool_of_the_graphics_card():
    for name, assets in (("pretrain", 2), ("finetune", 1), ("evaluate", 2), ("study", 1), ("language", 2)):
        assert len(definitions.resolve_job_def(name).nodes_in_topological_order) == assets
    assert {asset.op.pool for asset in (*ASSETS, distillation_study, language_network)} == {"gpu"}

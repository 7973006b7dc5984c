from assets import definitions
from assets.training import networks
from assets.training.language import language_network


def test_every_job_makes_the_assets_it_is_named_for():
    for name, assets in (("pretrain", 2), ("finetune", 1), ("evaluate", 2), ("study", 1), ("language", 2)):
        assert len(definitions.resolve_job_def(name).nodes_in_topological_order) == assets


def test_all_that_trains_or_scores_waits_for_the_graphics_card():
    learning = (networks.teacher_features, networks.pretrained_network, networks.finetuned_network, language_network)
    judging = (networks.zero_shot_report, networks.label_efficiency_report, networks.distillation_study)
    assert {asset.op.pool for asset in (*learning, *judging)} == {"gpu"}

from docs.pages_from_code.commands import every_command, pages, programs

PAGE = pages()["command_line.md"]


def test_every_command_has_a_heading_and_every_option_a_line():
    for program, top in programs().items():
        for words, command in every_command(top):
            called = " ".join((program, *words))
            assert f"# `{called}`\n" in PAGE, called
            section = PAGE.partition(f"# `{called}`\n")[2].partition("\n#")[0]
            for parameter in command.params:
                if not getattr(parameter, "hidden", False):
                    assert max(parameter.opts, key=len) in section, f"{called} {parameter.name}"


def test_commands_of_training_and_of_weights_are_among_them():
    for called in ("train finetune", "train study", "weights fetch", "sources poll", "export", "settings"):
        assert f"## `youtube-occ {called}`" in PAGE


def test_what_a_command_does_is_not_cut_off():
    preview = (
        "Write a picture of every stage of a built video: clips, depth, cameras, labels, grids; with title and legend."
    )
    assert f"* `preview`: {preview}\n" in PAGE
    assert not [line for line in PAGE.splitlines() if line.startswith("* `") and line.endswith("...")]


def test_angle_brackets_in_help_texts_are_no_tags():
    assert "as in &lt;data&gt;/videos/." in PAGE

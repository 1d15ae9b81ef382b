rule report:
    input:
        made_by("score"),
        made_by("sample"),
        made_by("train"),
        made_by("reference"),
        made_by("data"),
        code=sorted(
            str(path)
            for path in Path("src/sagan_div/report").iterdir()
            if path.is_file()
        ),
    output:
        **{name: page(name) for name in report_room.outputs(STUDY, LAYOUT)},
    log:
        f"{LOGS}/report.log",
    benchmark:
        f"{RUNTIMES}/report.jsonl"
    conda:
        "../envs/sagan-div.yaml"
    params:
        settings=configuration.canonical(STUDY),
    message:
        "write the report"
    shell:
        "sagan-div report --settings {params.settings:q} > {log} 2>&1"

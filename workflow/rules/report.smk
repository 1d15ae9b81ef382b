rule report:
    input:
        afresh("report"),
        made_by("score"),
        made_by("sample"),
        made_by("train"),
        made_by("reference"),
        made_by("data"),
        code=plan.code("report"),
    output:
        **{name: page(name) for name in report_room.outputs(STUDY, LAYOUT)},
        **writes("report"),
    log:
        f"{LOGS}/report.log",
    conda:
        "../envs/sagan-div.yaml"
    params:
        settings=canonical(STUDY),
    message:
        "write the report"
    shell:
        "sagan-div report --settings {params.settings:q} > {log} 2>&1"

rule report:
    input:
        RULES.gathered,
    output:
        **{name: page(name, path) for name, path in RULES.page.items()},
        **writes("report"),
    log:
        RULES.log("report"),
    conda:
        "../envs/sagan-div.yaml"
    params:
        settings=settings("report"),
        study=RULES.study.study,
    message:
        "write the report"
    shell:
        "sagan-div report --study {params.study} --settings {params.settings:q} > {log} 2>&1"

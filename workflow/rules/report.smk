localrules:
    report,


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
    resources:
        **RULES.asks("report"),
    params:
        settings=settings("report"),
        study=RULES.study.study,
        root=root("report"),
    message:
        "write the report"
    shell:
        "sagan-div report --study {params.study} --root {params.root:q} --settings {params.settings:q} > {log:q} 2>&1"

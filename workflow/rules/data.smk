localrules:
    data,
    fetch_data,  # compute nodes often lack the internet


rule data:
    input:
        made_by("data"),


rule fetch_data:
    input:
        unpack(reads("data")),
    output:
        **writes("data"),
    log:
        RULES.log("data", "{dataset}"),
    benchmark:
        RULES.runtime("data", "{dataset}")
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks("data", "data", "{dataset}"),
    params:
        settings=settings("data"),
        study=RULES.study.study,
        root=root("data"),
    message:
        "fetch {wildcards.dataset}"
    shell:
        "sagan-div data --study {params.study} --root {params.root:q} --settings {params.settings:q} > {log:q} 2>&1"

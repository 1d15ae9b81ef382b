localrules:
    sample,


rule sample:
    input:
        made_by("sample"),


rule sample_cell:
    input:
        unpack(reads("sample")),
    output:
        **writes("sample"),
    log:
        RULES.log("sample", *CELL),
    benchmark:
        RULES.runtime("sample", *CELL)
    conda:
        "../envs/sagan-div.yaml"
    resources:
        **RULES.asks("sample", "sample", *CELL),
    params:
        device=RULES.device,
        settings=settings("sample"),
        study=RULES.study.study,
        root=root("sample"),
    message:
        "sample {wildcards.dataset} {wildcards.method} seed {wildcards.seed}"
    shell:
        "sagan-div sample --study {params.study} --root {params.root:q} --settings {params.settings:q}"
        " --device {params.device:q} --threads {threads} > {log:q} 2>&1"

localrules:
    sample,


rule sample:
    input:
        made_by("sample"),


rule draw:
    input:
        afresh("sample"),
        **reads("sample"),
    output:
        **writes("sample"),
    log:
        f"{LOGS}/sample/{{dataset}}/{{method}}/seed{{seed}}.log",
    benchmark:
        f"{RUNTIMES}/sample/{{dataset}}/{{method}}/seed{{seed}}.jsonl"
    conda:
        "../envs/sagan-div.yaml"
    resources:
        gpu=1,
    params:
        settings=told("sample"),
        study=STUDY.study,
    message:
        "sample {wildcards.method} on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "sagan-div sample --study {params.study} --settings {params.settings:q} --threads {threads} > {log} 2>&1"
